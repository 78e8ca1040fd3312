/** An error keeps a configuration from being loaded, a warning does not. */
export type Severity = 'error' | 'warning';
