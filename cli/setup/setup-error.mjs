/** Something that a person must do before Millrace can run. The message says what, and the exact command. */
export class SetupError extends Error {}
