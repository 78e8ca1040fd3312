/** Where pieces of a body go: to a service, a client, or through a further step. */
export interface BodyOutput {
  /** Copies what it keeps. False: it is full, and says when it has room again. */
  write(chunk: Uint8Array): boolean;
  /** Nothing follows. */
  end(): void;
}
