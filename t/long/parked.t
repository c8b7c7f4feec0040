# Ready sandboxes whose node has started before it knows its job: what a
# program sees is what it sees in a new one; where that cannot be had node is
# executed when its job is there.

use strict;
use warnings;

use Codr::Host qw(need spew wait_until);
use Codr::Javascript qw(program programs server);
use Codr::Nginx;
use Test::More;

need(qw(module helper root /usr/bin/node));

# A job of one that was parked: its arguments came too late for /proc.
my $PARKED = '!require("fs").readFileSync("/proc/self/cmdline", "latin1")'
    . '.includes("mine")';

sub is_parked {
    my ($nginx, %o) = @_;
    return (program($nginx, "console.log($PARKED)", args => ['mine'], %o)
            ->{stdout} // '') eq "true\n";
}

my $nginx = server('warm 3;');
ok($nginx->ready, 'the server is ready');
ok(wait_until(120, sub { $nginx->log =~ /no node is parked|that has started/ }),
    'the node is tested');
if ($nginx->log =~ /(no node is parked.*)/) {
    my $why = $1;
    is(program($nginx, 'console.log(1)')->{stdout}, "1\n",
        'a node that cannot be parked is executed');
    $nginx->finish;
    diag("skipped: $why");
    done_testing();
    exit;
}
ok(wait_until(60, sub { is_parked($nginx) }), 'it is parked');
is($nginx->get('/status')->{json}{causes}[0], undef, 'which is no cause');
is(scalar $nginx->zygotes, 0, 'there is no zygote');

# Each job has a process of its own.

my (%seen, $waited);
for (1 .. 6) {
    $waited = program($nginx, 'const c = require("crypto"); const fs ='
            . ' require("fs"); console.log(Math.random(), c.randomUUID(),'
            . ' fs.readFileSync("/proc/self/maps", "latin1")'
            . '.match(/^.*\[heap\]/m)[0]);', args => ['mine']);
    $seen{$_}++ for split ' ', $waited->{stdout} =~ s/ rw-p .*//r;
}
is(scalar keys %seen, 18,
    'no two have a random number or an address in common');

my $LOOK = <<'END';
const fs = require('fs');
console.log(fs.readdirSync('/proc').filter((p) => +p).join(), process.pid,
    process.ppid, fs.openSync('/dev/null'));
console.log(fs.readFileSync('/proc/self/comm', 'latin1'),
    fs.readFileSync('/proc/self/status', 'latin1')
        .split('\n').filter((l) => /^(Cap|NoNew|Seccomp:|Sig(Blk|Ign))/
            .test(l)).join(' '));
console.log(fs.readFileSync('/proc/self/limits', 'latin1'));
END
my $look = program($nginx, $LOOK)->{stdout};
my $cold = server('');
ok($cold->ready, 'a server without');
is($look, program($cold, $LOOK)->{stdout}, 'as a new one is');

my %programs = programs();
for my $name (sort keys %programs) {
    my @input = (stdin => "one\ntwo\nthree\n");
    my ($parked, $new) = map { program($_, $programs{$name}, @input) }
        $nginx, $cold;
    is($parked->{path}, 'pool', "$name: in a ready sandbox");
    # how many times node says this of one signal is a race of its own
    s/^(Starting inspector .*\n)\1+/$1/m for $parked->{stderr}, $new->{stderr};
    is_deeply([ @$parked{qw(stdout stderr status exit_code)} ],
        [ @$new{qw(stdout stderr status exit_code)} ],
        "$name: as in a new process");
}
$cold->finish;

# Whatever does not fit is executed.

is(program($nginx, undef, files => [ { name => 'other.js',
        content => 'console.log(__filename)' } ])->{stdout}, "/box/other.js\n",
    'a script by another name');
is(program($nginx, 'console.log(process.argv[2].length)',
        args => [ 'x' x 40_000 ])->{stdout}, "40000\n", 'long arguments');

# One that dies while it waits.

my @waiting = $nginx->ready_processes;
kill KILL => @waiting;
ok(wait_until(60, sub { is_parked($nginx) }),
    'when those that wait are killed others come to wait');

# On a terminal.

my $terminal;
ok(wait_until(60, sub {
        $terminal = $nginx->run_job(language => 'javascript', args => ['mine'],
            code => "console.log(process.stdin.isTTY, process.stdout.columns,"
                . " $PARKED)");
        return ($terminal->{stdout} // '') =~ /true\r\n\z/;
    }), 'on a terminal');
is($terminal->{stdout}, "true 80 true\r\n", 'which it knows');
$nginx->finish;

# A node that would not be what it is itself: it has been loaded long ago.

my $dir = Codr::Nginx::dir();
mkdir "$dir/modules";
spew("$dir/modules/odd.js", "const start = Date.now();\n"
    . "process.on('exit', () => console.log(Date.now() - start < 300000));\n");
$nginx = server('warm 2; env NODE_OPTIONS=--require=/opt/modules/odd.js;',
    dir => $dir);
ok($nginx->ready, 'a server with an odd node');
ok($nginx->wait_log(qr/no node is parked: those that are differ in/, 120),
    'is not parked');
is(program($nginx, "console.log($PARKED)", args => ['mine'])->{stdout},
    "false\ntrue\n", 'but executed');
$nginx->finish;

done_testing();
