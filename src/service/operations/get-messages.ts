import { string, structure } from '../shape.ts';
import { nodeOperation, type OperationParts } from './operation.ts';

/**
 * `ec2messages`: Run Command, which this service does not have. An agent polls it while it has no control channel, and
 * would do so every second or two if it were answered at once (CONTROL-PLANE.md section 2.7).
 */
export function getMessages({ context, longPolls }: OperationParts) {
  return nodeOperation(
    {
      name: 'GetMessages',
      api: 'ec2messages',
      input: structure({}, { Destination: string({ max: 400 }), MessagesRequestId: string({ max: 400 }) }),

      async handle({ Destination, MessagesRequestId }, { targetId, signal }) {
        await longPolls.hold(targetId, signal);
        return { Destination, MessagesRequestId, Messages: [] };
      },
    },
    context,
  );
}
