import * as z from 'zod';

/** A DNS name with at least two labels, in lower case, without a closing dot. */
export const HostName = z
  .string()
  .regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a host name');
