# A job that waits: it can be stopped, and says nothing of a program that never
# ran.  Owners are served in turn, whoever has more jobs, and positions say so.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(http => <<'END');
codr_max_jobs 1 batch=1;
codr_owner $http_x_owner;
codr_language sh { source main.sh; run /bin/sh $source; }
codr_language loud {
    source main.sh;
    version /bin/sh -c "printf '\n  \nloud 1.0\nof today\n'";
    run /bin/sh $source;
}
END
ok($nginx->ready, 'the server is ready');

my $first = $nginx->ws;
$first->execute(language => 'python', code => 'print("on"); input()');
ok($first->expect(qr/on/), 'one job runs');

my $second = $nginx->ws;
$second->execute(language => 'python', code => 'print("never")');
is($second->wait_for('queued')->{position}, 1, 'the next one waits');
$second->send(type => 'stop');
my $end = $second->finish->{complete};
is($end->{status}, 'stopped', 'it can be stopped');
ok(!exists $end->{signal}, 'no signal has ended it');
is($end->{cpu_time}, 0, 'it used nothing');
ok(exists $end->{exit_code} && !defined $end->{exit_code},
    'and has no exit code');

$first->input("\n");
is($first->finish->{status}, 'ok', 'the first one ends as it likes');

# In turn.

sub queue_job {
    my ($owner) = @_;
    my $ws = $nginx->ws(headers => ["X-Owner: $owner"]);
    $ws->execute(language => 'sh', code => 'echo on; read x');
    return $ws;
}

my $runs = queue_job('many');
ok($runs->expect(qr/on/), 'one owner has a job');
my @many = map { queue_job('many') } 1 .. 3;
is(join(' ', map { $_->wait_for('queued')->{position} } @many), '1 2 3',
    'and more that wait');
my $other = queue_job('one');
my $queued = $other->wait_for('queued');
is($queued->{position}, 2, 'one of another owner comes after the first');
cmp_ok($queued->{wait}, '<=', 30, 'no guess is beyond what a job may wait');
is($many[1]->wait_for('queued')->{position}, 3, 'which the second is told');
is($nginx->post('/run', { language => 'sh', code => 'exit 0' })->{status}, 200,
    'who needs another kind of place does not wait for these');

$runs->input("\n");
ok($many[0]->expect(qr/on/), 'the first one begins');
$many[0]->input("\n");
ok($other->expect(qr/on/), 'then the other owner');
$other->input("\n");
ok($many[1]->expect(qr/on/), 'then the second');
$many[2]->drop;
$many[1]->input("\n");
is($many[1]->finish->{status}, 'ok', 'which ends');
is($nginx->run_job(language => 'sh', code => 'exit 0')->{status}, 'ok',
    'one that leaves while it waits is in nobody\'s way');

ok($nginx->ready(10, sub {
    my ($loud) = grep { $_->{name} eq 'loud' }
        @{ $nginx->get('/languages')->{json}{languages} };
    return ($loud->{version} // '') eq 'loud 1.0';
}), 'a version is the first line that says something');

$nginx->finish;

subtest 'nobody waits for it' => sub {
    my $one = Codr::Nginx->new(http => <<'END',
codr_max_jobs 1 batch=1;
codr_queue 1;
codr_language sh { source main.sh; run /bin/sh $source; }
END
        server => 'location /jobs { codr_jobs; }'
        . ' location = /counters { codr_status json; }');
    ok($one->ready, 'the server is ready');
    my $start = sub {
        my $answer = $one->post('/jobs', { language => 'sh',
            code => 'sleep 60' });
        return ($answer, $answer->{json}{job_id});
    };
    my ($first, $id) = $start->();
    is($first->{status}, 202, 'one runs');
    my ($second, $id2) = $start->();
    is($second->{status}, 202, 'one waits');
    my ($third) = $start->();
    is("$third->{status} $third->{json}{code}", '503 busy',
        'the next is refused at once');
    cmp_ok($third->{headers}{'retry-after'}, '>', 0, 'with Retry-After');
    my $delete = sub {
        return Codr::Client->request(port => $one->port, method => 'DELETE',
            path => "/jobs/$_[0]")->{status};
    };
    is($delete->($_), 204, 'stopped') for $id2, $id;
    my $books;
    ok(Codr::Host::wait_until(10, sub {
        $books = $one->get('/counters')->{json}{records};
        return $books->{unfinished} == 0;
    }), 'none is left');
    is("$books->{accepted} $books->{stopped} $books->{failed}", '2 2 0',
        'and what was refused was never accepted');
    $one->finish;
};

done_testing();
