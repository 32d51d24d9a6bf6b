/** The list of all published binaries with their loaders; the build generates it from `platforms.json`. */
declare module 'dezky:binaries' {
  const binaries: readonly { readonly platform: string; readonly load: () => unknown }[]
  export default binaries
}
