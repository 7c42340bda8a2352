import { HawserError } from '../../base/error.ts';

/** One thing that is wrong with a directory. */
export interface IamDirectoryProblem {
  /** Where: `users.jane.policies[0].Statement[1].Action`; empty for the whole. */
  readonly path: string;
  /** For whoever wrote it. Quotes no value of the directory but names and parts of policies. */
  readonly reason: string;
}

/** A directory that cannot be used. `code` is `ERR_IAM_DIRECTORY`. Nothing of it is in force. */
export class IamDirectoryError extends HawserError {
  /** In the order of the document, at most 20 of them. */
  readonly problems: readonly IamDirectoryProblem[];

  constructor(problems: readonly IamDirectoryProblem[]) {
    const lines = problems.map(({ path, reason }) => (path === '' ? reason : `${path} ${reason}`));
    super('ERR_IAM_DIRECTORY', `The directory cannot be used: ${lines.join('; ')}.`);
    this.problems = problems;
  }
}
