# The filter of system calls against its own table: every call of this
# machine's headers has been judged, every call that is not allowed is refused
# in the way the table says, and other entries into the kernel kill.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp spew top);
use Codr::Nginx;
use POSIX ();
use Test::More;

need(qw(module helper /usr/bin/python3));

my ($machine) = (POSIX::uname())[4];
my $source = slurp(top() . "/sandbox/codr_syscalls_$machine.c");
plan(skip_all => "no table for $machine") if !$source;
plan(skip_all => 'the numbers below are x86-64\'s') if $machine ne 'x86_64';

my $action = qr/ALLOW|REFUSE|ABSENT|PRETEND/;
my %row = $source =~ /^    \{ "(\w+)", ($action)(?:_LATE)?,/mg;
my $header = slurp('/usr/include/x86_64-linux-gnu/asm/unistd_64.h')
    || slurp('/usr/include/asm/unistd_64.h');
my %number = $header =~ /^#define __NR_(\w+) (\d+)$/mg;

# Newer than the headers of Debian 12, and in the table by name.
my %newer = (fchmodat2 => 452, futex_wake => 454, futex_wait => 455,
    futex_requeue => 456);

cmp_ok(scalar keys %row, '>', 300, 'the table has its rows');
SKIP: {
    skip 'no kernel headers', 1 if !%number;
    is(join(' ', grep { !$row{$_} } sort keys %number), '',
        'every call of the kernel headers is judged');
}

# What each number must answer: EPERM, ENOSYS, done, or nothing is known of it.
my %expected = map { $_ => 'ENOSYS' } 0 .. 600, 1000, 0x3fffffff;
for my $name (keys %number, keys %newer) {
    my $n = $number{$name} // $newer{$name};
    my $action = $row{$name} // next;
    if ($action eq 'ALLOW') {
        delete $expected{$n};
    } elsif ($action eq 'REFUSE') {
        $expected{$n} = 'EPERM';
    } elsif ($action eq 'PRETEND') {
        $expected{$n} = 'done';
    }
}

# Linux 6.14 and newer show these two to no filter: they are how a probe of the
# kernel's own returns, and anybody else's use of them is an illegal
# instruction or an error.
delete @expected{335, 336};
my @numbers = sort { $a <=> $b } keys %expected;

# Each in a child of its own, with arguments that mean nothing.
my $sweep = <<'END';
import ctypes, errno, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.stdout.reconfigure(line_buffering=True)
def call(n):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(2)
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(n), *[ctypes.c_long(-1)] * 6)
        code = ctypes.get_errno()
        os.write(writer, (errno.errorcode.get(code, str(code))
                          if result == -1 else "done").encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 100).decode()
    os.close(reader)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return said or "nothing"
for n in sys.stdin.read().split():
    print(n, call(int(n, 0)))
END

sub results { return $_[0] =~ /^(\S+) (\w+)\r?$/mg }

my $nginx = Codr::Nginx->new;
ok($nginx->ready, 'the server is ready');
my $answer = $nginx->post('/run', { language => 'python', code => $sweep,
    stdin => "@numbers" });
is($answer->{json}{status}, 'ok', 'the sweep ends well')
    or diag($answer->{body});
my %inside = results($answer->{json}{stdout});
is(join(', ', map {"$_: " . ($inside{$_} // 'none')}
    grep { ($inside{$_} // '') ne $expected{$_} } @numbers), '',
    'what is not allowed answers as the table says');

# The control: outside and without rights many of them get further.
my $dir = Codr::Nginx::dir();
spew("$dir/sweep.py", $sweep);
spew("$dir/numbers", "@numbers");
my $command = "cd / && /usr/bin/python3 $dir/sweep.py < $dir/numbers";
$command = "setpriv --reuid nobody --regid nogroup --clear-groups "
    . "sh -c '$command'" if $> == 0;
my %outside = results(scalar `$command`);
my @further = grep { $outside{$_} !~ /^(?:EPERM|ENOSYS)$/ } keys %outside;
cmp_ok(scalar @further, '>', 20, 'outside they are not refused')
    or diag("@further");

# x32 is the same numbers with a bit set.
$answer = $nginx->post('/run', { language => 'python', code => $sweep,
    stdin => '0x40000027' });
is({ results($answer->{json}{stdout}) }->{'0x40000027'}, 'SIGSYS',
    'the x32 entry kills');

SKIP: {
    skip 'needs gcc', 2 if !-x '/usr/bin/gcc';
    my $int80 = <<'END';
#include <stdio.h>
int main(void)
{
    long pid;
    __asm__ volatile ("int $0x80" : "=a" (pid) : "a" (20L) : "memory");
    printf("%s\n", pid > 0 ? "done" : "refused");
    return 0;
}
END
    my $job = $nginx->run_job(language => 'c', code => $int80);
    is($job->{complete}{signal}, 'SIGSYS', 'the 32-bit entry kills');
    spew("$dir/int80.c", $int80);
    my $said = `cd $dir && gcc -o int80 int80.c && ./int80`;
    SKIP: {
        skip 'this kernel has no 32-bit entry', 1 if $said ne "done\n";
        pass('outside it is an entry');
    }
}

$nginx->finish;
done_testing();
