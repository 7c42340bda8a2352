/** Names of members, and forms of values, that more than one part of a directory has. */
export const ACCESS_KEY = [
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'issued',
  'expiration',
  'mfaAuthenticated',
];

export const UNIQUE_ID = /^[A-Za-z0-9]{1,128}$/;
export const UNIQUE_ID_WORDS = '1 to 128 letters and digits';
