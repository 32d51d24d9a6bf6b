/** The published binaries with their loaders; generated from `platforms.json`. */
declare module 'dezky:binaries' {
  const binaries: readonly { readonly platform: string; readonly load: () => unknown }[]
  export default binaries
}
