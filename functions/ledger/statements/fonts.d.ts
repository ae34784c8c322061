/** The build makes a font's bytes a part of the bundle, and tests read its file. */
declare module '*.ttf' {
  const bytes: Buffer
  export default bytes
}
