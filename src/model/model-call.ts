/** What of a request to a model limits, prices and the choice of a key depend on. */
export interface CallFacts {
  /** As the caller wrote it; null where the body names none. */
  readonly model: string | null;
  readonly streams: boolean;
  /** The least of the caller's own bounds; null: it set none. */
  readonly outputCap: number | null;
  /** Answers that are made of the prompt, 1 or more. */
  readonly choices: number;
  /** The caller asked for the usage at the end of a stream. */
  readonly asksForUsage: boolean;
  /** Bytes of the body: no tokenizer makes more tokens of a text than it has bytes. */
  readonly promptBytes: number;
  /** Why the prompt has no sound bound; null: it has. */
  readonly unbounded: Unbounded | null;
}

/** What a prompt may hold whose tokens its bytes don't bound. */
export const UNBOUNDED = {
  image_by_url: 'an image by its URL',
  file_by_reference: 'a file by its id or URL',
  server_tools: 'tools that the provider runs, and whose results it puts into the prompt',
  earlier_answer: 'an earlier answer by its id',
} as const;
export type Unbounded = keyof typeof UNBOUNDED;
