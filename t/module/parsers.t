# The validator has in memory the parsers that programs were checked with, and
# no others.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper));
plan skip_all => 'a sanitizer has its own memory' if $ENV{CODR_SANITIZER};

my $nginx = Codr::Nginx->new(policy => 'block light');
ok($nginx->ready, 'the server is ready');

# The one whose children wait.
sub validator {
    my $base = $nginx->uid_base;
    my %all  = map { $_ => slurp("/proc/$_/stat") =~ /\) \S (\d+)/ ? $1 : 0 }
        grep { slurp("/proc/$_/cmdline")
            =~ /^[^\0]*codr-validator\0serve\0.*--uid\x00${base}\x00/s }
        map {m{(\d+)}} glob '/proc/[0-9]*';
    my ($first) = grep { !exists $all{ $all{$_} } } keys %all;
    return $first;
}

# KB of constants that are nobody's file.
sub constants {
    my $pid = validator() // return -1;
    my $kb  = 0;
    for (split /^(?=[0-9a-f]+-)/m, slurp("/proc/$pid/smaps")) {
        $kb += $1
            if /^\S+ r--p \S+ 00:00 0\s*$/m && /^Anonymous:\s+(\d+) kB/m;
    }
    return $kb;
}

sub job {
    my ($language, $code) = @_;
    return $nginx->post('/run', { language => $language, code => $code })
        ->{json}{status};
}

ok(wait_until(10, sub { validator() }), 'there is a validator');
my $none = constants();
cmp_ok($none, '<', 256, 'before anybody has asked there is none');

is(job('python', 'print(1)'), 'ok', 'a program is checked');
ok(wait_until(10, sub { constants() > $none + 256 }),
    'and its language\'s parser is there');
my $python = constants();
cmp_ok($python, '<', 1024, 'which is all');

is(job('javascript', 'console.log(1)'), 'ok', 'another language');
ok(wait_until(10, sub { constants() > $python + 256 }), 'is there, too');
cmp_ok(constants(), '<', 2048, 'and no third one');

is(job('python', 'print(2)'), 'ok', 'and the first one again');
$nginx->finish;

done_testing();
