import { Ledger } from './ledger.ts';
import type { Side } from './network.ts';
import type { StreamPlan } from './smux-scenario.ts';

/** What both ends did with one stream, against which what either of them sees is checked. */
export class StreamRecord {
  readonly plan: StreamPlan;
  /** Once the client has opened it. */
  id: number | undefined;
  /** Either side has reset it: what was under way is lost. */
  reset = false;
  /** By whom it was written. */
  readonly ledgers: Record<Side, Ledger>;

  constructor(plan: StreamPlan, index: number) {
    this.plan = plan;
    this.ledgers = { client: new Ledger(1 + 1_009 * index), agent: new Ledger(30_000 + 1_013 * index) };
  }

  /** Bytes that the side writes in all, by the plan. */
  total(side: Side): number {
    return this.plan[side].reduce((sum, { length }) => sum + length, 0);
  }

  /** @throws when bytes that had to arrive have not */
  check(version: 1 | 2): void {
    if (this.reset) return;
    for (const side of ['client', 'agent'] as const) {
      // An agent that does not wait closes version 1 on what the client still says, as AWS's does.
      if (version === 1 && side === 'client' && !this.plan.agentWaits) continue;
      const { settled, outstanding } = this.ledgers[side];
      if (!settled) throw new Error(`stream ${this.id} lost ${outstanding} bytes of the ${side}`);
    }
  }
}
