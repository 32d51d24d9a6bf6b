/** Made by the build from `platforms.json`: every binary there may be, and how to load it. */
declare module 'dezky:binaries' {
  const binaries: readonly { readonly platform: string; readonly load: () => unknown }[]
  export default binaries
}
