// The messages of codr.v1 as types: docs/protocol.md has their meaning.

export interface SourceFile {
    name: string;
    content: string;
}

export interface TerminalSize {
    cols: number;
    rows: number;
}

export interface Execute {
    type: 'execute';
    language: string;
    code: string;
    files?: SourceFile[];
    args?: string[];
    stdin?: string;
    tty?: boolean | TerminalSize;
    detach?: boolean;
    job_id?: string;
    job_token?: string;
}

export type ClientMessage =
    | Execute
    | { type: 'input'; data: string }
    | { type: 'eof' }
    | { type: 'resize'; cols: number; rows: number }
    | { type: 'signal'; signal: string }
    | { type: 'stop' }
    | { type: 'attach'; job_id: string; attach_token: string;
        offset: number };

export interface Diagnostic {
    rule?: string;
    message: string;
    severity: string;
    line: number;
    column: number;
    end_line: number;
    end_column: number;
    file?: string;
}

export interface Limits {
    wall_time?: number;
    cpu_time?: number;
    memory_bytes?: number;
    output_bytes?: number;
    processes?: number;
}

export interface Compiled {
    output?: string;
    wall_time?: number;
    cached?: boolean;
}

export interface Queued {
    type: 'queued';
    job_id: string;
    position: number;
    wait?: number;
}

export interface Started {
    type: 'started';
    job_id: string;
    attach_token?: string;
    language: string;
    limits?: Limits;
    warnings?: Diagnostic[];
}

export interface Stage {
    type: 'stage';
    stage: 'compile' | 'run';
    cached?: boolean;
    compile?: Compiled;
}

export interface Output {
    type: 'output';
    stream: 'stdout' | 'stderr';
    data: string;
    offset: number;
    end: number;
}

export interface Complete {
    type: 'complete';
    job_id: string;
    status: string;
    exit_code: number | null;
    signal?: string;
    wall_time: number;
    cpu_time: number;
    memory_peak: number | null;
    truncated?: boolean;
    path?: string;
    compile?: Compiled;
}

export interface Failure {
    type: 'error';
    code: string;
    message: string;
    job_id?: string;
    diagnostics?: Diagnostic[];
    compile?: Compiled;
    retry_after?: number;
}

export interface Notice {
    type: 'notice';
    code: string;
    message: string;
}

export type ServerMessage =
    | Queued | Started | Stage | Output | Complete | Failure | Notice;

const TYPES = new Set<string>(['queued', 'started', 'stage', 'output',
    'complete', 'error', 'notice']);

/** What a text frame says, or undefined for what this page does not know. */
export function decode(text: string): ServerMessage | undefined {
    try {
        const value: unknown = JSON.parse(text);
        if (typeof value !== 'object' || value === null) {
            return undefined;
        }
        const type = (value as { type?: unknown }).type;
        return typeof type === 'string' && TYPES.has(type)
            ? value as ServerMessage : undefined;
    } catch {
        return undefined;
    }
}

/** A key as the subprotocol that carries it from a browser. */
export function keyProtocol(key: string): string {
    const bytes = new TextEncoder().encode(key);
    return 'codr.key.' + base64url(bytes);
}

export function base64url(bytes: Uint8Array): string {
    let text = '';
    for (const byte of bytes) {
        text += String.fromCharCode(byte);
    }
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_')
        .replace(/=+$/, '');
}

/** The bytes of unpadded base64url; throws when it is none. */
export function fromBase64url(text: string): Uint8Array {
    const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}
