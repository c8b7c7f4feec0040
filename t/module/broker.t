# A broker that ends: no job that comes then is refused.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(sleep);

need(qw(module helper));

my %JOB = (language => 'python', code => 'print(6 * 7)');


subtest 'a broker is killed' => sub {
    my $nginx = Codr::Nginx->new;
    ok($nginx->ready, 'up');
    for my $pause (0, 0, 0.002, 0.02) {
        my %role = %{ $nginx->helpers };
        my ($broker) = grep { $role{$_} eq 'broker' } keys %role;
        plan skip_all => 'this helper has no broker' if !$broker;
        kill KILL => $broker;
        sleep $pause;
        my $answer = $nginx->post('/run', \%JOB);
        is($answer->{status}, 200, "a job $pause s later is not refused");
        is($answer->{json}{stdout}, "42\n", 'but waits and runs')
            or diag($answer->{body});
        $nginx->ready;
    }
    $nginx->finish(expected => qr/broker|helper|spawner/);
};


done_testing();
