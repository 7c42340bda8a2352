import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    channel: 'src/channel/index.ts',
    crypto: 'src/crypto/index.ts',
    policy: 'src/policy/index.ts',
    kms: 'src/kms/index.ts',
    agent: 'src/agent/index.ts',
    service: 'src/service/index.ts',
    node: 'src/node/index.ts',
    testing: 'src/testing/index.ts',
    'bin/hawser-agent': 'src/bin/hawser-agent.ts',
    'bin/session-manager-plugin': 'src/bin/session-manager-plugin.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  sourcemap: true,
  splitting: true,
  platform: 'neutral',
  target: 'es2022',
});
