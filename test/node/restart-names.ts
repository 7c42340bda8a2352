/** What the service of `restart-service.ts` and those that come to it agree on. */
export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
export const INSTANCE = 'mi-0123456789abcdef0';
export const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
export const NODE = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
