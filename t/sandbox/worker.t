#!/usr/bin/perl

# A worker that was taken over: it speaks the helper's protocol with a worker's
# rights and does what no worker does.  Other clients must not notice.

use strict;
use warnings;

use Codr::Host qw(build slow slurp spew top wait_until);
use Codr::Nginx;
use JSON::PP qw(encode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'not root: helper and worker would be one user' if $> != 0;

# Frames and tags of sandbox/codr_proto.h.  Each attack prints a line when it
# stands, and goes on until its standard input ends, which is bounded.
my $worker = <<'END';
import array, fcntl, json, os, random, socket, struct, sys, time
def frame(kind, payload=b""):
    return struct.pack("<IBxxx", len(payload), kind) + payload
def number(tag, value):
    return struct.pack("<HHIQ", tag, 0, 8, value)
def text(tag, value):
    return struct.pack("<HHI", tag, 0, len(value)) + value
HELLO, JOB, EXECUTE, FILE, DATA, SUBMIT = 3, 4, 7, 8, 9, 10
def channel():
    c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    c.connect(sys.argv[1])
    c.send(frame(HELLO, number(1, 1) + number(2, 1)))
    return c
def job(c):
    ours, theirs = socket.socketpair()
    socket.send_fds(c, [frame(JOB)], [theirs.fileno()])
    return ours, theirs
def flood(more=b""):
    code = b"while 1: print('x' * 1000)"
    return (frame(EXECUTE, number(6, 0) + text(7, b"python") + text(8, b"w")
                  + number(9, 1) + number(10, 0) + more)
            + frame(FILE, text(17, b"main.py") + number(19, len(code)))
            + frame(DATA, code) + frame(SUBMIT))

def blocking():
    c = channel()
    ours, theirs = job(c)
    ours.sendall(flood())
    start = time.time()
    waiting = array.array("i", [0])
    while (time.time() < start + 1      # again and again: it sets the flag
           or waiting[0] <= 50000 and time.time() < start + 15):
        fcntl.fcntl(theirs, fcntl.F_SETFL, os.O_RDWR)
        fcntl.ioctl(ours, 0x541b, waiting)  # FIONREAD
    print("full" if waiting[0] > 50000 else "not full", flush=True)
    sys.stdin.read()

def unfinished():
    c = channel()
    held = []
    for i in range(3000):
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(c, [frame(JOB)], [theirs.fileno()])
        except OSError:
            break
        theirs.close()
        held.append(ours)
    print("held", len(held), flush=True)
    sys.stdin.read()

def lingering():
    c = channel()
    for i in range(3):
        listener = socket.create_server(("127.0.0.1", 0))
        s = socket.create_connection(listener.getsockname())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 8))
        s.setblocking(False)
        try:
            while True:
                s.send(b"x" * 65536)
        except BlockingIOError:
            pass
        try:
            socket.send_fds(c, [frame(JOB)], [s.fileno()])
        except OSError:
            c = channel()
        s.close()
        keep.append(listener)
    print("sent", flush=True)
    sys.stdin.read()

# Who watches and does not read, and who asks for what there is not.
def watching():
    n = json.loads(sys.argv[3])
    c = channel()
    ours, theirs = job(c)
    theirs.close()
    ours.sendall(flood(number(n["DETACH_MS"], 60000)))
    seen = b""
    while len(seen) < 400:
        seen += ours.recv(400)
    def find(tag):
        at = seen.index(struct.pack("<HHI", tag, 0, 32))
        return seen[at + 8:at + 40]
    id, token = find(n["JOB_ID"]), find(n["VIEW_TOKEN"])
    held = [ours]
    def said(kind, payload):
        ours, theirs = job(c)
        theirs.close()
        ours.send(frame(kind, payload))
        held.append(ours)
    for i in range(100):
        said(n["ATTACH"], text(n["JOB_ID"], id)
             + text(n["VIEW_TOKEN"], token))
    for i in range(100):
        said(n["FETCH"], text(n["JOB_ID"], id) + number(n["OFFSET"], 0)
             + number(n["WAIT_MS"], 3600000))
    for i in range(2000):
        said(random.choice((n["ATTACH"], n["FETCH"])), b"".join(
            random.choice((text(n["JOB_ID"], id), text(n["JOB_ID"], token),
                text(n["VIEW_TOKEN"], id), text(n["ATTACH_TOKEN"], token),
                text(n["JOB_ID"], id[1:]), number(n["OFFSET"], 1 << 63),
                number(n["WAIT_MS"], 1 << 40), number(n["STOP"], 2),
                text(n["OWNER"], b"x" * 1000), text(n["OFFSET"], b"x")))
            for j in range(random.randrange(5))))
    print("held", len(held), flush=True)
    sys.stdin.read()

keep = []
globals()[sys.argv[2]]()
END

my $dir    = Codr::Nginx::dir();
my $socket = "$dir/sandbox.sock";
spew("$dir/worker.py", $worker);
spew("$dir/helper.conf", 'codr_uids ' . (0x73000000 + ($$ & 0xfff) * 64)
    . " 64;\ninclude " . top() . "/conf/languages.conf;\n");

my $helper = fork // die "fork: $!";
if ($helper == 0) {
    open STDERR, '>>', "$dir/helper.log";
    exec build() . '/codr-sandboxd', '--config', "$dir/helper.conf",
        '--listen', $socket
        or POSIX::_exit(127);
}
ok(wait_until(10, sub { -S $socket }), 'the helper listens');

my $nginx = Codr::Nginx->new(helper => "unix:$socket", uids => 0);
ok($nginx->ready, 'nginx finds it') or diag($nginx->log);

# How long an ordinary client's program takes.
sub canary {
    my $start = time;
    my $answer = $nginx->post('/run',
        { language => 'python', code => 'print(1)' }, timeout => 15);
    return ($answer->{json}{status} // $answer->{json}{code} // 'nothing',
        time - $start);
}

# Numbers of frames and tags by their names.
my %numbers;
for my $enum (slurp(top() . '/sandbox/codr_proto.h')
    =~ /^typedef enum \{(.*?)^\} codr_(?:frame_type|field_tag)_t;/gms)
{
    my $number = 1;
    $numbers{$_} = $number++
        for $enum =~ s{/\*.*?\*/}{}gsr =~ /CODR_(?:FRAME|FIELD)_(\w+)/g;
}

for my $attack (qw(blocking lingering unfinished watching)) {
    my $pid = open(my $out, '-|') // die "fork: $!";
    if ($pid == 0) {
        exec 'sh', '-c', 'sleep 20 | exec setpriv --reuid www-data'
            . ' --regid www-data --clear-groups /usr/bin/python3 -B "$@"',
            'sh', "$dir/worker.py", $socket, $attack, encode_json(\%numbers)
            or POSIX::_exit(127);
    }
    my $said = <$out> // '';
    like($said, qr/^(?:full|sent|held \d{3,})$/, "$attack: the attack stands");
    my ($status, $seconds) = canary();
    is($status, 'ok', "$attack: others go on")
        or diag($nginx->log, slurp("$dir/helper.log"));
    cmp_ok($seconds, '<', 5 * slow(), "$attack: at once");
    kill TERM => children($pid), $pid;
    close $out;
    ok(wait_until(15, sub { (canary())[0] eq 'ok' }),
        "$attack: nothing of it stays");
}

$nginx->finish;
kill TERM => $helper;
ok(wait_until(10, sub { waitpid($helper, POSIX::WNOHANG()) == $helper }),
    'the helper ends');
done_testing();

sub children {
    my ($parent) = @_;
    return grep { slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S $parent /s }
        map {m{(\d+)$}} glob '/proc/[0-9]*';
}
