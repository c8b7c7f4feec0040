// What is needed to join a running job again after a reload of the page: kept
// for this tab only.

export interface Job {
    id: string;
    token: string;
    language: string;
    since: number;          // ms
    end: number;            // bytes of output seen
    piped?: boolean;        // no terminal
}

const KEY = 'codr.job';

export function keepJob(job: Job): void {
    try {
        sessionStorage.setItem(KEY, JSON.stringify({ ...job, end: 0 }));
    } catch {
        // Without storage a reload ends the program, nothing else.
    }
}

export function forgetJob(): void {
    try {
        sessionStorage.removeItem(KEY);
    } catch {
        // as above
    }
}

/** The job of this tab, with nothing of its output seen yet. */
export function keptJob(): Job | undefined {
    try {
        const job = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as
            Job | null;
        return job && typeof job.id === 'string'
            && typeof job.token === 'string' ? { ...job, end: 0 } : undefined;
    } catch {
        return undefined;
    }
}
