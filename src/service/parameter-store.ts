/** A parameter that session documents may refer to. `SecureString` ones are not for documents: agents refuse them. */
export interface StoredParameter {
  /** Default `String`. Of a `StringList` the value has commas between its items. */
  readonly type?: 'String' | 'StringList';
  readonly value: string;
  /** From 1, the default. Agents find a reference to a version again by it. */
  readonly version?: number;
  /** Milliseconds since the epoch. */
  readonly modifiedDate?: number;
}

/**
 * Finds a parameter. `undefined` for one that there is not, or not in that version: the session of a document that
 * refers to it fails.
 *
 * @param name as the document has it, such as `/logs/path`
 * @param version default the latest
 */
export type ParameterStore = (
  name: string,
  version: number | undefined,
) => StoredParameter | undefined | Promise<StoredParameter | undefined>;
