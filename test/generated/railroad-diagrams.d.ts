/** The part of the package that the diagrams use; it ships no types. */
declare module 'railroad-diagrams' {
  export interface Part {
    toString(): string;
  }
  export function Diagram(...parts: readonly Part[]): Part;
  export function Sequence(...parts: readonly Part[]): Part;
  export function Choice(straight: number, ...options: readonly Part[]): Part;
  export function Optional(inner: Part): Part;
  export function ZeroOrMore(inner: Part): Part;
  export function OneOrMore(inner: Part, between?: Part): Part;
  export function Terminal(text: string): Part;
  export function NonTerminal(text: string): Part;
}
