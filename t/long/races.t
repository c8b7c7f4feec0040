# Races that a job could win only now and then, again and again: links in place
# of the program while it is collected, programs executed while others are
# being written, what a zygote may keep of its clones' sources.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Test::More;

need(qw(module helper root /usr/bin/gcc /usr/bin/python3));

my $ROUNDS = 300;       # of some hundred swaps each
my $CYCLES = 200;
my $AT_ONCE = 8;

my $nginx = Codr::Nginx->new(location => 'codr_compile_timeout 20s;',
    server => Codr::Hygiene::location(),
    http => <<'END');
codr_max_jobs 100 batch=20 compile=20;
codr_results 1m;
codr_language racer {
    source main.py;
    compile /usr/bin/python3 $source $program;
    run $program;
}
codr_language script {
    source main.sh;
    compile /bin/sh $source $program;
    run $program;
}
END
ok($nginx->ready, 'the server is ready');
my $hygiene = Codr::Hygiene->new($nginx);

# The "compiler" leaves a process behind that swaps the program for something
# else as fast as it can, and ends after a while; the program is echo.
my $racer = <<'END';
import os, shutil, sys, time
program = sys.argv[1]
shutil.copy("/usr/bin/echo", "good")
open("large", "wb").truncate(60 << 20)
makers = [
    lambda: os.link("good", "next"),
    lambda: os.symlink("/etc/passwd", "next"),
    lambda: os.symlink("/proc/self/environ", "next"),
    lambda: os.mkfifo("next"),
    lambda: os.mkdir("next"),
    lambda: os.link("large", "next"),
    lambda: shutil.copy("good", "next"),
]
shutil.copy("good", program)
if os.fork() == 0:
    os.setsid()
    while True:
        for make in makers:
            try:
                make()
                os.rename("next", program)
            except OSError:
                for undo in os.unlink, os.rmdir:
                    for name in "next", program:
                        try:
                            undo(name)
                        except OSError:
                            pass
time.sleep(ROUND * 0.00013)
END

my (%how, @odd);
my $client = $nginx->ws;
for my $round (1 .. $ROUNDS) {
    my $job = $client->run_job(language => 'racer', args => ['mine'],
        code => $racer =~ s/ROUND/$round/r, timeout => 60);
    $how{ $job->{status} }++;
    push @odd, "$round: $job->{status} $job->{stdout}"
        if $job->{status} !~ /^(?:ok|compile_error|compile_limit)$/
        || $job->{status} eq 'ok' && $job->{stdout} ne "mine\r\n"
        || ($job->{error}{message} // '') =~ /root:|PATH=/;
}
diag(join ', ', map {"$_ $how{$_}"} sort keys %how);
is(join("\n", @odd), '', 'a program that is swapped is itself or none');
cmp_ok($how{compile_error} // 0, '>', 0, 'some rounds met something else');
$hygiene->check('swapped programs');

# Nobody has a program open for writing when it is executed.

my (@open, @failed);
for my $n (1 .. $CYCLES) {
    my $one = $nginx->ws;
    $one->execute(language => 'script', args => ["n$n"],
        code => "cp /usr/bin/echo \$1 # $n\n");
    push @open, [ $one, $n ];
    next if @open < $AT_ONCE && $n < $CYCLES;
    for (@open) {
        my $job = $_->[0]->finish(60);
        push @failed, "$_->[1]: $job->{status}"
            if $job->{stdout} ne "n$_->[1]\r\n";
    }
    @open = ();
}
is(join(', ', @failed), '', "$CYCLES programs are executed at once");
$hygiene->check('programs at once');
$hygiene->finish;
$nginx->finish;

# What is in the memory of a process.
sub holds {
    my ($pid, $text) = @_;
    open my $memory, '<:raw', "/proc/$pid/mem" or return;
    for (split /\n/, slurp("/proc/$pid/maps")) {
        my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) r[w-]/ or next;
        no warnings 'portable';
        my ($at, $end) = (hex $from, hex $to);
        next if $end >= 2**63 || $end - $at > 2**32;    # shadows of ASan
        seek $memory, $at, 0;
        my $data;
        return 1 if read($memory, $data, $end - $at)
            && index($data, $text) >= 0;
    }
    return 0;
}

$nginx = Codr::Nginx->new(path => 'zygote');
ok($nginx->ready, 'a server with zygotes');
my $canary = join '', map { chr(97 + rand 26) } 1 .. 24;
my $clones = 0;
wait_until(60, sub {
    my $job = $nginx->post('/run', { language => 'python',
        code => "canary = '$canary' * 9\nimport sys\n"
            . "sys.modules['json'].secret = canary\nprint(input())",
        stdin => "$canary\n", args => [$canary] })->{json};
    $clones++ if ($job->{path} // '') eq 'zygote';
    return $clones >= 20;
});
is($clones, 20, 'twenty clones with a secret');
my @zygotes = $nginx->zygotes;
cmp_ok(scalar @zygotes, '>', 0, 'a zygote is there');
is(scalar(grep { holds($_, 'textwrap') } @zygotes), scalar @zygotes,
    'what it has imported is found in it');
is(scalar(grep { holds($_, $canary) } @zygotes), 0,
    'nothing of a job is in the memory of a zygote');
is(scalar(grep { holds($_, $canary) } $nginx->ready_processes), 0,
    'nor of a sandbox that waits');
$nginx->finish;

done_testing();
