// What is asked over plain HTTP: the languages a server has, and why it did
// not open a WebSocket, which a browser does not tell by itself.

import type { Limits } from './messages';

export interface Language {
    name: string;
    aliases: string[];
    version: string;
    source: string;
    extensions: string[];
    compiled: boolean;
    available: boolean;
    reason?: string;
    limits: Limits;
}

export interface Refusal {
    code: string;
    message: string;
    retryAfter?: number;
}

export async function fetchLanguages(url: string): Promise<Language[]> {
    const answer = await fetch(url, { cache: 'no-cache' });
    if (!answer.ok) {
        throw new Error(`the list of languages: HTTP ${answer.status}`);
    }
    const body = await answer.json() as { languages?: Language[] };
    return body.languages ?? [];
}

/**
 * Asks the address of a WebSocket that would not open what is the matter: with
 * a request that runs nothing, and passes all that an upgrade must pass.
 */
export async function explain(url: string, key?: string): Promise<Refusal> {
    let answer: Response;
    try {
        answer = await fetch(url.replace(/^ws/, 'http'), {
            method: 'POST', cache: 'no-store', body: '{"language": ""}',
            headers: { 'Content-Type': 'application/json',
                ...(key ? { 'X-API-Key': key } : {}) },
        });
    } catch {
        return { code: 'unreachable', message: 'the server does not answer' };
    }
    return refusal(answer.status, await bodyOf(answer),
        answer.headers.get('Retry-After'));
}

interface ErrorBody {
    code?: string;
    message?: string;
    retry_after?: number;
}

async function bodyOf(answer: Response): Promise<ErrorBody> {
    try {
        return await answer.json() as ErrorBody;
    } catch {
        return {};
    }
}

const CODES: Record<number, string> = {
    401: 'unauthorized', 403: 'forbidden', 404: 'not_found',
    429: 'rate_limited', 502: 'unreachable', 503: 'unavailable',
    504: 'unreachable',
};

/** The server would run programs, and yet the socket did not open. */
export const DROPPED: Refusal = { code: 'dropped', message: 'HTTP 400' };

/** 400 is what a working codr_exec says to that. */
export function refusal(status: number, body: ErrorBody,
    after: string | null): Refusal {
    const seconds = body.retry_after ?? Number(after ?? NaN);
    const code = status === 400 ? DROPPED.code
        : status === 403 ? 'forbidden'
        : body.code ?? CODES[status] ?? 'internal';
    return {
        code,
        message: body.message ?? `HTTP ${status}`,
        ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}),
    };
}

export interface Ticket {
    job_id: string;
    job_token: string;
}

/** Who has to be known is known to the back end, by no key of this page. */
function noTicket(why: Refusal): Refusal {
    return ['unauthorized', 'forbidden'].includes(why.code)
        ? { ...why, code: 'no_ticket' } : why;
}

/** One run's ticket from a back end, or why there is none. */
export async function fetchTicket(url: string): Promise<Ticket | Refusal> {
    try {
        const answer = await fetch(url, { method: 'POST' });
        if (answer.ok) {
            const { job_id, job_token } = await answer.json() as Ticket;
            return { job_id, job_token };
        }
        return noTicket(refusal(answer.status, await bodyOf(answer),
            answer.headers.get('Retry-After')));
    } catch {
        return { code: 'unreachable', message: 'no ticket' };
    }
}
