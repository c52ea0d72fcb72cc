/** Stopword lists by ISO 639-3 code (the package has no types of its own). */
declare module 'stopword' {
  type List = readonly string[];
  export const ara: List;
  export const ces: List;
  export const dan: List;
  export const deu: List;
  export const eng: List;
  export const fin: List;
  export const fra: List;
  export const hun: List;
  export const ita: List;
  export const nld: List;
  export const nob: List;
  export const por: List;
  export const ron: List;
  export const rus: List;
  export const spa: List;
  export const swe: List;
  export const tur: List;
}
