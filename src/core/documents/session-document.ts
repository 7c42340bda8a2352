/**
 * A session document (CONTROL-PLANE.md section 3.1): what a session is and which values its caller may put in. Keys
 * that are not named here are kept and sent to the agent.
 *
 * Values are put into `properties` and `inputs` as they are, also into shell commands. `allowedPattern` and
 * `allowedValues` of the parameter are the only barrier.
 */
export interface SessionDocument {
  readonly schemaVersion: '1.0';
  readonly description?: string;
  /** `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands`, `Port`, or whatever the agent has a handler for. */
  readonly sessionType: string;
  /**
   * The preferences of the session. The service itself reads `idleSessionTimeout` (1 to 60 minutes) and
   * `maxSessionDuration` (1 to 1440 minutes), as strings or numbers, empty for the default; the rest is the agent's.
   */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** By name: letters and digits. */
  readonly parameters?: Readonly<Record<string, DocumentParameter>>;
  /** By session type. `{{ name }}` stands for the value of a parameter. */
  readonly properties?: unknown;
}

/** What a caller may give. A parameter without `default` is required. */
export interface DocumentParameter {
  /** AWS's own documents write it with and without a capital. */
  readonly type: ParameterType | Uncapitalize<ParameterType>;
  readonly description?: string;
  readonly default?: unknown;
  /** A regular expression of RE2's kind that the whole value must match, or every value of a list. */
  readonly allowedPattern?: string;
  readonly allowedValues?: readonly string[];
  /** Length of a value, in characters: a number, or one in a string. */
  readonly minChars?: number | string;
  readonly maxChars?: number | string;
  /** Values of a list. */
  readonly minItems?: number | string;
  readonly maxItems?: number | string;
  /** `textfield` or `textarea`; for consoles. */
  readonly displayType?: string;
}

export type ParameterType = 'String' | 'StringList' | 'Integer' | 'Boolean' | 'StringMap' | 'MapList';
