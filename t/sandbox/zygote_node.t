# Clones of a node that has started: what a program sees is what it sees in a
# new one, two of them share nothing a job could use, and where that cannot be
# had node is executed.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Javascript qw(program programs server);
use Codr::Nginx;
use Test::More;

need(qw(module helper root /usr/bin/node));

# Whether clones can be had; why not, in the log, when the test of itself says
# that this node is none for it.
sub cloned {
    my ($nginx) = @_;
    my $path = '';
    wait_until(120, sub {
        $path = program($nginx, '')->{path} // '';
        return $path eq 'zygote' || $nginx->log =~ /no node zygote/;
    });
    return $path eq 'zygote';
}

my $nginx = server('warm 3; zygote node;');
ok($nginx->ready, 'the server is ready');
if (!cloned($nginx)) {
    my ($why) = $nginx->log =~ /(no node zygote.*)/;
    is(program($nginx, 'console.log(1)')->{stdout}, "1\n",
        'a node that is unfit for it is executed');
    $nginx->finish;
    diag("skipped: $why");
    done_testing();
    exit;
}

sub job { return program($nginx, @_) }

ok(!grep({/zygote/} @{ $nginx->get('/status')->{json}{causes} }),
    'a zygote that serves is no cause');

# The zygote itself.

my @zygotes;                        # a clone is one, too, for a moment
ok(wait_until(30, sub { (@zygotes = $nginx->zygotes) == 1 }),
    'there is one zygote');
my $status = slurp("/proc/$zygotes[0]/status");
like($status, qr/^NoNewPrivs:\s*1$/m, 'it gets no new privileges');
like($status, qr/^Seccomp:\s*2$/m, 'its system calls are filtered');
like($status, qr/^Threads:\s*1$/m, 'it has one thread');
like($status, qr/^Groups:\s*$/m, 'it has no groups');
isnt(readlink "/proc/$zygotes[0]/ns/user", readlink '/proc/self/ns/user',
    'its user namespace is not the host\'s');
my ($uid) = $status =~ /^Uid:\s+(\d+)/m;

# What waits has the code that it will go through from the zygote: nothing but
# that makes a file's code anybody's own.

sub own_code {
    my ($pid) = @_;
    my $kb = 0;
    for (split /^(?=[0-9a-f]+-)/m, slurp("/proc/$pid/smaps")) {
        $kb += $1 if m{^\S+ r-xp .*/(?:node|libnode[.so\d]+)$}m
            && /^Anonymous:\s+(\d+) kB/m;
    }
    return $kb;
}
ok(wait_until(30, sub { grep { own_code($_) > 1024 } $nginx->ready_processes }),
    'one that waits shares node\'s code with the zygote');

# What clones have in common.

my $seeds = 'const c = require("crypto"); console.log(Math.random(),'
    . ' c.randomBytes(8).toString("hex"), c.randomUUID(),'
    . ' c.randomInt(2 ** 47));';
my (%seen, %first);
for (1 .. 8) {
    my $text = job($seeds)->{stdout};
    $seen{$_}++ for split ' ', $text;
    $first{ substr $text, 0, 6 }++;
}
is(scalar keys %seen, 32, 'no two have a random number in common');
cmp_ok(scalar keys %first, '>', 5, 'nor do they begin alike');
is(job('new (require("worker_threads").Worker)("console.log(Math.random())",'
        . ' { eval: true }); console.log(Math.random());')
        ->{stdout} =~ /^(\S+)\n(?!\1)\S+\n$/ ? 1 : 0, 1, 'nor has a worker');

my $look = job(<<'END');
const fs = require('fs');
console.log(fs.readdirSync('/proc').filter((p) => +p).join(), process.pid,
    process.ppid, process.getuid(), fs.readdirSync('/proc/self/task').length);
END
my ($seen_uid, $threads) = $look->{stdout} =~ /^2 2 1 (\d+) (\d+)$/;
ok($seen_uid, 'a clone sees itself, and is its init\'s child')
    or diag($look->{stdout});
isnt($seen_uid, $uid, 'its uid is not the zygote\'s');
cmp_ok($threads, '>', 1, 'it has its threads');

my $tasks = job(<<'END')->{stdout};
const fs = require('fs');
const seen = new Set();
for (const task of fs.readdirSync('/proc/self/task'))
    seen.add(fs.readFileSync(`/proc/self/task/${task}/status`, 'utf8')
        .split('\n').filter((line) => /^(Uid|Gid|Groups|Cap|NoNew|Seccomp)/
            .test(line)).join('\n'));
console.log(seen.size, [...seen][0]);
END
like($tasks, qr/^1 Uid:\s+(\d+)(?:\s+\1){3}$/m,
    'all threads have the same rights');
like($tasks, qr/^CapEff:\s+0+$/m, 'which are no capabilities');
like($tasks, qr/^NoNewPrivs:\s+1$/m, 'and no new privileges');
like($tasks, qr/^Seccomp:\s+2$/m, 'behind a filter');
is(job('require("fs").promises.readFile("/etc/shadow")'
        . '.catch((e) => console.log(e.code))')->{stdout} =~ /^E(?:NOENT|ACCES)/
    ? 1 : 0, 1, 'and see the same files');

my @reach = (
    "process.kill($zygotes[0], 0)" => 'a signal', "process.setuid($uid)" =>
        'its uid', "require('fs').openSync('/proc/$zygotes[0]/mem')" =>
        'its memory', 'process.setuid(0)' => 'root',
    'require("fs").writeFileSync("/proc/self/uid_map", "0 0 1")' =>
        'its mapping',
);
while (my ($code, $name) = splice @reach, 0, 2) {
    my $job = job($code);
    is($job->{exit_code}, 1, "a clone cannot reach $name of a zygote")
        or diag($job->{stdout});
}

# A clone that is poisoned, exhausted or killed is alone with it.

job('Array.prototype.map = null; require("fs").readFileSync = null;'
    . ' console.log = null; process.exitCode = 5; globalThis.left = 1;');
my $after = job('console.log([1].map(String), typeof left,'
    . ' typeof require("fs").readFileSync)');
is($after->{stdout}, "[ '1' ] undefined function\n",
    'what one changes the next does not see');
is(job('const x = []; for (;;) x.push(Buffer.alloc(1e6, 1));',
    limits => { memory_bytes => 90e6 })->{status}, 'memory_limit',
    'one uses all its memory');
is(job('process.kill(process.pid, "SIGKILL")')->{status}, 'signaled',
    'one kills itself');
is(job('process.abort()')->{signal}, 'SIGABRT', 'one aborts');
is(job('console.log(1)')->{stdout}, "1\n", 'the next runs');
cmp_ok(job('const x = Buffer.alloc(30e6, 1)')->{memory_peak}, '>', 30e6,
    'a clone\'s memory counts');

# Whatever is asked for in another way.

my $given = job('console.log(process.argv.slice(2))',
    args => [ 'a b', "\"'\\\n", "\x{e4}\x{1f600}" ]);
is($given->{stdout}, <<"END" =~ s/\n\z//r . "\n", 'arguments are the job\'s');
[ 'a b', `"'\\\\\\n`, '\x{e4}\x{1f600}' ]
END
is(job(undef, files => [
            { name => 'other.js', content => 'console.log(__filename)' } ])
        ->{stdout}, "/box/other.js\n", 'a script by another name');
is(job('import os from "os"; console.log(os.EOL.length)', files => [
            { name => 'package.json', content => '{"type":"module"}' } ])
        ->{stdout}, "1\n", 'a package of modules');

# The same programs in a node that was executed.

my $cold = server('');
ok($cold->ready, 'a server without');

my %programs = programs();
for my $name (sort keys %programs) {
    my @input = (stdin => "one\ntwo\nthree\n");
    my ($clone, $new) = map { program($_, $programs{$name}, @input) }
        $nginx, $cold;
    is($clone->{path}, 'zygote', "$name: in a clone");
    # how many times node says this of one signal is a race of its own
    s/^(Starting inspector .*\n)\1+/$1/m for $clone->{stderr}, $new->{stderr};
    is_deeply([ @$clone{qw(stdout stderr status exit_code)} ],
        [ @$new{qw(stdout stderr status exit_code)} ],
        "$name: as in a new process");
}
$cold->finish;

# On a terminal.

my $terminal;
ok(wait_until(60, sub {
        $terminal = $nginx->run_job(language => 'javascript',
            code => 'console.log(process.stdin.isTTY, process.stdout.columns)');
        return ($terminal->{complete}{path} // '') eq 'zygote';
    }), 'a clone on a terminal');
is($terminal->{stdout}, "true 80\r\n", 'which it knows');

# Without it.

ok(cloned($nginx), 'again without one');
kill KILL => @zygotes;
is(job('console.log(1)')->{stdout}, "1\n",
    'when it dies jobs run all the same');
ok(cloned($nginx), 'and there is another one');
isnt(($nginx->zygotes)[0], $zygotes[0], 'which is a new process');
$nginx->finish;

# A node whose clones would not be what it is itself.

my $dir = Codr::Nginx::dir();
mkdir "$dir/modules";
spew("$dir/modules/odd.js", "const fs = require('fs');\n"
    . "const pid = fs.readlinkSync('/proc/self');\n"
    . "process.on('exit', () => console.log(pid ==="
    . " fs.readlinkSync('/proc/self')));\n");
$nginx = server('warm 2; zygote node;'
    . ' env NODE_OPTIONS=--require=/opt/modules/odd.js;', dir => $dir);
ok($nginx->ready, 'a server with an odd node');
ok(!cloned($nginx), 'has no clones');
like($nginx->log, qr/no node zygote: its clones differ in/, 'the log says so');
my $health;
ok(wait_until(15, sub {
        $health = $nginx->get('/status');
        return "@{ $health->{json}{causes} }"
            =~ /no zygote for "javascript": its clones differ/;
    }), 'health has it for a cause') or diag($health->{body});
is($health->{status}, 200, 'and no worse');
ok($health->{json}{degraded}, 'than degraded');
is(job('console.log(1)')->{stdout}, "1\ntrue\n", 'programs are as ever');

# Its ready sandboxes have one that was executed and waits for its job.

my $parked;
ok(wait_until(120, sub {
        $parked = job('const fs = require("fs"); console.log(process.argv[2],'
            . ' fs.readFileSync("/proc/self/cmdline", "latin1"),'
            . ' process.uptime() < 30)', args => [ 'mine' ]);
        return $parked->{stdout} !~ /mine\0/;
    }), 'they are in one that had started');
is($parked->{path}, 'pool', 'which is a ready sandbox like any other');
is($parked->{stdout}, "mine /usr/bin/node\0main.js\0 true\ntrue\n",
    'and sees what is its own');
$nginx->finish;

# Too few uids for any.

$nginx = server('zygote node;', uids => 1879048192 + 11 * 4096 . ' 16');
ok($nginx->ready, 'a server with few uids');
ok(wait_until(15, sub {
        return "@{ $nginx->get('/status')->{json}{causes} }"
            =~ /no zygote for "javascript": this host has not/;
    }), 'has no zygote, and says so');
$nginx->finish;

done_testing();
