import { SessionError } from '../../core/errors.ts';
import type { Session } from '../../core/session.ts';
import { NodeError } from '../error.ts';
import type { PluginConsole } from './console.ts';
import { explain } from './error.ts';

/**
 * Tells on stderr of a connection that is lost, why it is not back yet, and that it is.
 *
 * @param giveUp is called when it cannot come back, with the reason
 */
export function tellConnection(
  session: Session,
  console: PluginConsole,
  giveUp: (reason: Error) => void,
): void {
  let told = '';
  session.on('reconnecting', ({ error }) => {
    if (error.cause instanceof NodeError && error.cause.code === 'ERR_ENVIRONMENT') {
      giveUp(
        new SessionError('ERR_SESSION_LOST', 'The connection was lost and cannot be resumed.', {
          cause: error.cause,
        }),
      );
      return;
    }
    const reason = explain(error);
    if (told === '')
      console.say(`The connection is lost and being resumed, for ten minutes at most: ${reason}`);
    else if (told !== reason) console.say(`It could not be resumed yet: ${reason}`);
    told = reason;
  });
  session.on('resumed', () => {
    if (told !== '') console.say('The connection is resumed.');
    told = '';
  });
}
