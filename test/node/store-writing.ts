/** What `store-writer.ts` writes, and what can be checked of it: `text` is as long as `length` says, of one letter. */
export interface WrittenValue {
  /** Of the changes of this record since it was not there. */
  readonly count: number;
  readonly length: number;
  readonly text: string;
}

/** Every fifth change of a record removes it; the next creates it again. */
export function isRemoval(count: number): boolean {
  return count % 5 === 0;
}
