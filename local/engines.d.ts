/** The two LevelDB engines ship no types; these are the options and calls that the platform uses. */
declare module 'dynalite' {
  import type { Server } from 'node:http';
  export default function dynalite(options: {
    path: string;
    createTableMs: number;
    deleteTableMs: number;
    updateTableMs: number;
  }): Server;
}

declare module 'dynalite/db/index.js' {
  type Iterator = { close(): Promise<void> };
  const db: {
    create(options: object): {
      db: {
        compactRange(start: string, end: string): Promise<void>;
        keys(options: object): Iterator;
        values(options: object): Iterator;
      };
    };
  };
  export default db;
}

declare module 'kinesalite' {
  import type { Server } from 'node:http';
  export default function kinesalite(options: {
    path: string;
    createStreamMs: number;
    deleteStreamMs: number;
    shardLimit: number;
  }): Server;
}
