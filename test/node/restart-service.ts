/**
 * A service on a durable store, to be killed and started again. Arguments: directory of the store, port. Says its URL
 * when it is up.
 */
import { durableStore, serve } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { ACCOUNT, INSTANCE, NODE, REGION, USER } from './restart-names.ts';

const [directory, port] = process.argv.slice(2);
const principal = { arn: `arn:aws:iam::${ACCOUNT}:user/tester`, accountId: ACCOUNT, userId: 'AIDATESTER' };
const callers = [
  { ...USER, principal },
  { ...NODE, principal, targetId: INSTANCE },
];
const store = await durableStore(directory!);
const service = new SessionManagerService({
  region: REGION,
  accountId: ACCOUNT,
  credentials: (id) => callers.find(({ accessKeyId }) => accessKeyId === id),
  store,
});
await service.resume();
await service.registerTarget({ id: INSTANCE });
process.send!((await serve(service, { port: Number(port) })).url);
process.on('disconnect', () => process.exit());
