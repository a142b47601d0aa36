/**
 * Days of receipt that each ingest reads out of landing. More than the seven days by which a browser's clock may lie and
 * than the stream's and the plan's longest outage; landing keeps longer, so what an outage left out is still there.
 */
export const INGEST_WINDOW_DAYS = 8;

/**
 * Days of receipt in `events` in which ingest looks for an event that it already has. Twice the window, so that the oldest
 * row it reads still finds a first copy that came a whole window earlier, however the two fall around midnight.
 */
export const DUPLICATE_WINDOW_DAYS = 2 * INGEST_WINDOW_DAYS;
