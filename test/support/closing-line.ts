import type { Reporter, TestModule, Vitest } from 'vitest/node';

/**
 * Ends a run with one plain line, for people and scripts alike: `12 passed, 0 failed`, and `, 1 skipped` where
 * there are any. What fails outside a test (a file that cannot be loaded, a hook) counts as failed as well.
 */
export class ClosingLine implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap(({ children }) => [...children.allTests()]);
    const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const skipped = tests.filter((test) => test.result().state === 'skipped').length;
    // A test that never came to its result has not passed.
    const failed =
      tests.length -
      passed -
      skipped +
      groups.filter((group) => group.errors().length > 0).length +
      unhandledErrors.length;
    this.#vitest?.logger.log(
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    );
  }
}
