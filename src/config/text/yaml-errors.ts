import type { ErrorCode } from 'yaml';

/** What to do about each error that the `yaml` package knows, and under which code of ours it goes. */
export const YAML_ERRORS: Readonly<
  Record<
    ErrorCode,
    { readonly code: 'PT3001' | 'PT3002' | 'PT3006' | 'PT3008' | 'PT3009'; readonly help: string }
  >
> = {
  ALIAS_PROPS: { code: 'PT3001', help: 'Write the anchor or tag at the value that the alias stands for.' },
  BAD_ALIAS: { code: 'PT3001', help: 'Put a text that begins with * or & in quotes.' },
  BAD_COLLECTION_TYPE: { code: 'PT3001', help: 'Remove the tag.' },
  BAD_DIRECTIVE: { code: 'PT3006', help: 'Remove the line.' },
  BAD_DQ_ESCAPE: {
    code: 'PT3001',
    help: 'Write a backslash as \\\\, or put the text in single quotes, where a backslash means itself.',
  },
  BAD_INDENT: {
    code: 'PT3001',
    help: 'Indent the entries of a map or list by the same number of blanks, and close every bracket.',
  },
  BAD_PROP_ORDER: { code: 'PT3001', help: 'Write anchors and tags before the value.' },
  BAD_SCALAR_START: {
    code: 'PT3001',
    help: 'Put the text in quotes: it begins with a character that YAML uses itself.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    code: 'PT3001',
    help: 'Put the value in quotes if it holds ": ", or begin nested entries on a line of their own.',
  },
  BLOCK_IN_FLOW: { code: 'PT3001', help: 'Inside [ ] and { } write lists and maps in brackets as well.' },
  DUPLICATE_KEY: { code: 'PT3002', help: 'Keep one of them.' },
  IMPOSSIBLE: { code: 'PT3001', help: 'Write it more plainly.' },
  KEY_OVER_1024_CHARS: {
    code: 'PT3001',
    help: 'Shorten the name, or close a quote or bracket that is still open.',
  },
  MISSING_CHAR: {
    code: 'PT3001',
    help: 'Add the missing character; look for a quote or bracket that is still open.',
  },
  MULTILINE_IMPLICIT_KEY: {
    code: 'PT3001',
    help: 'Write a name and its colon on one line; look for a missing colon or quote.',
  },
  MULTIPLE_ANCHORS: { code: 'PT3001', help: 'Keep one anchor.' },
  MULTIPLE_DOCS: { code: 'PT3001', help: 'Put each document into a file of its own.' },
  MULTIPLE_TAGS: { code: 'PT3006', help: 'Remove the tags.' },
  NON_STRING_KEY: { code: 'PT3001', help: 'Write the name as a text.' },
  RESOURCE_EXHAUSTION: { code: 'PT3008', help: 'Write the values out.' },
  TAB_AS_INDENT: { code: 'PT3009', help: 'Indent with blanks.' },
  TAG_RESOLVE_FAILED: { code: 'PT3006', help: 'Remove the tag.' },
  UNEXPECTED_TOKEN: { code: 'PT3001', help: 'Remove it, or put the whole text in quotes.' },
};
