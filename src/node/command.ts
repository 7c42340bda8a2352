/** What to start, and where. */
export interface Command extends Surroundings {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}
