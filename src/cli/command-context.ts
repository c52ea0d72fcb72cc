/** What every command is given. */
export interface CommandContext {
  /** Fires when the user or the system asks the command to stop. */
  readonly signal: AbortSignal;
}
