import { unreachable } from '../../base/assert.ts';

/**
 * A text whose line breaks are still open, and the printer that decides them (Wadler, "A prettier printer", 1998; with
 * groups decided greedily as in Oppen 1980). A comment is never decided about: what follows it begins a new line, and the
 * groups around it are broken.
 */
export type Document =
  | string
  | { readonly kind: 'row'; readonly parts: readonly Document[]; readonly breaks: boolean }
  /** Indents the lines that begin inside by four columns. */
  | { readonly kind: 'indent'; readonly inner: Document; readonly breaks: boolean }
  /** On one line if it fits, else with all of its own lines broken. */
  | { readonly kind: 'group'; readonly inner: Document; readonly breaks: boolean }
  /** A line break, or this text where its group stays on one line. */
  | { readonly kind: 'line'; readonly flat: string }
  | { readonly kind: 'break' }
  /** At least one empty line before what follows; nothing at the start of the file. */
  | { readonly kind: 'empty-line' }
  /** Only where the group around it is broken. */
  | { readonly kind: 'if-broken'; readonly text: string }
  /** A comment that ends the line of what stands before it. */
  | { readonly kind: 'line-comment'; readonly text: string }
  /** A comment on a line of its own. */
  | { readonly kind: 'own-comment'; readonly text: string };

export const COLUMNS = 100;
const INDENT = 4;

export function row(parts: readonly Document[]): Document {
  return { kind: 'row', parts, breaks: parts.some(breaks) };
}
export function indent(inner: Document): Document {
  return { kind: 'indent', inner, breaks: breaks(inner) };
}
export function group(inner: Document): Document {
  return { kind: 'group', inner, breaks: breaks(inner) };
}
export function line(flat: string): Document {
  return { kind: 'line', flat };
}
export function ifBroken(text: string): Document {
  return { kind: 'if-broken', text };
}
export function ownComment(text: string): Document {
  return { kind: 'own-comment', text };
}
export function lineComment(text: string): Document {
  return { kind: 'line-comment', text };
}
export const BREAK: Document = { kind: 'break' };
export const EMPTY_LINE: Document = { kind: 'empty-line' };

/** The document without the comment that ends its last line, and that comment: outside a group it breaks no line of it. */
export function splitLastComment(document: Document): readonly [Document, comment: string | null] {
  if (typeof document === 'string') return [document, null];
  switch (document.kind) {
    case 'line-comment':
      return ['', document.text];
    case 'row': {
      const last = document.parts.at(-1);
      if (last === undefined) return [document, null];
      const [rest, comment] = splitLastComment(last);
      return comment === null ? [document, null] : [row([...document.parts.slice(0, -1), rest]), comment];
    }
    case 'indent':
    case 'group': {
      const [rest, comment] = splitLastComment(document.inner);
      if (comment === null) return [document, null];
      return [document.kind === 'group' ? group(rest) : indent(rest), comment];
    }
    default:
      return [document, null];
  }
}

function breaks(document: Document): boolean {
  if (typeof document === 'string') return false;
  switch (document.kind) {
    case 'row':
    case 'indent':
    case 'group':
      return document.breaks;
    case 'line':
    case 'if-broken':
      return false;
    case 'break':
    case 'empty-line':
    case 'line-comment':
    case 'own-comment':
      return true;
  }
}

/** Lines end in `\n`; no line ends in a blank. Empty if nothing was printed. */
export function printDocument(document: Document): string {
  const page = new Page();
  const open: Placed[] = [{ document, depth: 0, mode: 'broken' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) printPart(page, next, open);
  return page.finish();
}

interface Placed {
  readonly document: Document;
  readonly depth: number;
  readonly mode: 'flat' | 'broken';
}

function printPart(page: Page, { document, depth, mode }: Placed, open: Placed[]): void {
  if (typeof document === 'string') page.write(document, depth);
  else if (document.kind === 'row') {
    for (const part of document.parts.toReversed()) open.push({ document: part, depth, mode });
  } else if (document.kind === 'indent') open.push({ document: document.inner, depth: depth + INDENT, mode });
  else if (document.kind === 'group') {
    const flat: Placed = { document: document.inner, depth, mode: 'flat' };
    const isFlat = !document.breaks && fits(flat, open, COLUMNS - page.columnAt(depth));
    open.push(isFlat ? flat : { ...flat, mode: 'broken' });
  } else printLeaf(page, document, depth, mode);
}

type Leaf = Exclude<Document, string | { readonly breaks: boolean }>;

function printLeaf(page: Page, leaf: Leaf, depth: number, mode: Placed['mode']): void {
  switch (leaf.kind) {
    case 'line':
      if (mode === 'flat') page.write(leaf.flat, depth);
      else page.breakLine(depth);
      break;
    case 'break':
      page.breakLine(depth);
      break;
    case 'empty-line':
      page.emptyLine();
      break;
    case 'if-broken':
      if (mode === 'broken') page.write(leaf.text, depth);
      break;
    case 'line-comment':
      page.endLine(leaf.text, depth);
      break;
    case 'own-comment':
      page.ownLine(leaf.text, depth);
      break;
    default:
      unreachable(leaf);
  }
}

/** Whether `next` and what follows it up to the next line break that is certain or possible has room. */
function fits(next: Placed, open: readonly Placed[], room: number): boolean {
  const ahead: Placed[] = [next];
  let left = room;
  for (let behind = open.length; ; ) {
    const placed = ahead.pop() ?? open[--behind];
    if (placed === undefined) return true;
    const { document, depth, mode } = placed;
    if (typeof document === 'string') left -= widthOf(document);
    else if (document.kind === 'row') {
      for (const part of document.parts.toReversed()) ahead.push({ document: part, depth, mode });
    } else if (document.kind === 'indent' || document.kind === 'group') {
      ahead.push({ document: document.inner, depth, mode });
    } else if (document.kind === 'line' && mode === 'flat') left -= document.flat.length;
    else if (document.kind !== 'if-broken') return true;
    else if (mode === 'broken') left -= document.text.length;
    if (left < 0) return false;
  }
}

/** Columns, counted in code points: what an editor shows for nearly all texts. */
function widthOf(text: string): number {
  let width = 0;
  for (const _ of text) width++;
  return width;
}

/**
 * Lines as they are written: indentation and empty lines come only once something follows them. How far a line is indented
 * is said by the break before it; behind a comment that had to end its line, by what comes next.
 */
class Page {
  readonly #pieces: string[] = [];
  #column = 0;
  #depth = 0;
  /** Blanks that are written before the next text of the line, if there is one. */
  #gap = 0;
  #state: 'line-start' | 'in-line' | 'line-ended' = 'line-start';
  #isEmptyLineDue = false;

  columnAt(depth: number): number {
    if (this.#state === 'in-line') return this.#column + this.#gap;
    return this.#state === 'line-start' ? this.#depth : depth;
  }

  write(piece: string, depth: number): void {
    if (this.#state === 'line-ended') this.breakLine(depth);
    const text = piece.trimStart();
    if (this.#state === 'in-line') this.#gap += piece.length - text.length;
    if (text === '') return;
    if (this.#state === 'line-start') this.#beginLine();
    this.#pieces.push(' '.repeat(this.#gap), text);
    this.#column += this.#gap + widthOf(text);
    this.#gap = 0;
  }

  breakLine(depth: number): void {
    if (this.#state !== 'line-start') this.#pieces.push('\n');
    this.#state = 'line-start';
    this.#depth = depth;
    this.#gap = 0;
  }

  emptyLine(): void {
    this.breakLine(this.#depth);
    this.#isEmptyLineDue = true;
  }

  endLine(comment: string, depth: number): void {
    this.write(`  ${comment}`, depth);
    this.#state = 'line-ended';
  }

  ownLine(comment: string, depth: number): void {
    if (this.#state !== 'line-start') this.breakLine(depth);
    this.write(comment, depth);
    this.breakLine(this.#depth);
  }

  finish(): string {
    this.breakLine(0);
    return this.#pieces.join('');
  }

  #beginLine(): void {
    if (this.#isEmptyLineDue && this.#pieces.length > 0) this.#pieces.push('\n');
    this.#isEmptyLineDue = false;
    this.#pieces.push(' '.repeat(this.#depth));
    this.#column = this.#depth;
    this.#state = 'in-line';
  }
}
