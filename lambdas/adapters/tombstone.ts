import { hash } from 'node:crypto';

/** The salted hash by which an id is known after it is gone: SHA-256 of salt and id, lower-case hexadecimal, as SQL makes it. */
export const tombstoneOf = (salt: string, id: string): string => hash('sha256', `${salt}${id}`, 'hex');
