# Redis: records, tickets and stops that several nodes share; and that nobody
# notices when it is away, except where the configuration says so.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use Codr::Redis;
use Digest::SHA qw(hmac_sha256 sha256_hex);
use MIME::Base64 qw(encode_base64url);
use Test::More;

need(qw(module helper /usr/bin/redis-server));

my $secret = 'x' x 40;

# A node: an nginx that has the key files, and /run, /jobs, /counters.
sub node {
    my ($redis, %o) = @_;
    my $dir = Codr::Nginx::dir();
    spew("$dir/ticket.key", $secret);
    spew("$dir/keys", join '',
        map { "$_ " . sha256_hex($_) . "\n" } qw(alice bob));
    chmod 0640, "$dir/ticket.key", "$dir/keys";
    return Codr::Nginx->new(dir => $dir, auth => 0, %o,
        http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_ticket_key_file $dir/ticket.key;
    codr_redis $redis;
    codr_language sh { source main.sh; run /bin/sh \$source; timeout 60s; }
CONF
    location /jobs { codr_jobs; }
    location = /counters { codr_status json; }
    location = /ticket { codr_exec; codr_auth ticket; }
CONF
}

sub call {
    my ($node, $method, $path, $body, $key) = @_;
    return Codr::Client->request(port => $node->port, method => $method,
        path => $path, timeout => 60,
        defined $body ? (body => Codr::Client::encode($body)) : (),
        headers => [ 'Content-Type: application/json',
            'X-API-Key: ' . ($key // 'alice') ]);
}

sub job {
    my ($node, $code, %o) = @_;
    return call($node, POST => '/run', { language => 'sh', code => $code, %o });
}

sub start {
    my ($node, $code, %o) = @_;
    return call($node, POST => '/jobs',
        { language => 'sh', code => $code, %o })->{json}{job_id};
}

sub ticket { return call($_[0], POST => '/jobs/create', {})->{json} }

sub redeem {
    my ($node, $ticket) = @_;
    return $node->post('/ticket', { language => 'sh', code => 'echo hi',
        %{$ticket} });
}

sub up { return $_[0]->wait_log(qr/codr: Redis is up/, 30) }

# Runs jobs until the log has it: the worker of the first one may not have found
# yet that Redis is up again.
sub notices {
    my ($node, $pattern) = @_;
    return wait_until(60, sub { job($node, 'echo'); $node->log =~ $pattern });
}

sub said {
    my ($node, $pattern) = @_;
    return scalar(() = $node->log =~ /$pattern/g);
}


subtest 'the directive' => sub {
    my $dir = Codr::Nginx::dir();
    spew("$dir/open", 'secret');
    my $says = sub {
        my ($redis) = @_;
        unlink "$dir/stderr.log";
        my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
            locations => 0, uids => 0, http => "codr_redis $redis;");
        return $ok ? 'fine' : $said;
    };
    is($says->($_), 'fine', $_) for '127.0.0.1:6379', '[::1]:6379 db=3',
        'unix:/run/redis.sock prefix=a: input required';
    like($says->($_), qr/\[emerg\]/, "not: $_") for 'localhost:6379',
        '127.0.0.1', '127.0.0.1:0', '127.0.0.1:99999', 'unix:x',
        'unix:/' . 'x' x 200, '127.0.0.1:1 db=-1', '127.0.0.1:1 db=x',
        '127.0.0.1:1 prefix=*', '127.0.0.1:1 input input', '127.0.0.1:1 x',
        "127.0.0.1:1 password_file=$dir/none",
        "127.0.0.1:1 password_file=$dir/open",
        '127.0.0.1:1; codr_redis 127.0.0.1:1';
};


my $redis = Codr::Redis->new;
my $a = node($redis->address . ' prefix=t:', workers => 2);
my $b = node($redis->address . ' prefix=t:', workers => 2);
ok($_->ready && up($_), 'a node is up') for $a, $b;

subtest 'a record' => sub {
    is($a->get('/status')->{json}{redis}, 'up', 'health says that it is up');
    my $end = $redis->client;
    $end->ask('PSUBSCRIBE', 't:job:*:complete');
    my $done = job($a, 'echo out; echo err >&2', tag => 'x')->{json};
    my $key = "t:job:$done->{job_id}";
    ok(wait_until(30, sub { $redis->hash($key)->{status} eq 'completed' }),
        'is in Redis');
    my $hash = $redis->hash($key);
    is($hash->{owner}, 'alice', 'owner');
    is($hash->{language}, 'sh', 'language');
    is($hash->{tag}, 'x', 'tag');
    my $time = qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
    like($hash->{$_}, $time, $_) for qw(created_at started_at completed_at);
    my $result = Codr::Client::decode($hash->{result});
    is($result->{stdout}, "out\n", 'stdout of the result');
    is($result->{stderr}, "err\n", 'stderr');
    is($result->{exit_code}, 0, 'exit_code');
    my $ttl = $redis->ask('TTL', $key);
    ok($ttl > 3500 && $ttl <= 3600, 'it lives as long as codr_job_ttl');
    my $message = $end->reply;
    is($message->[2], "$key:complete", 'its end is published');
    $message = Codr::Client::decode($message->[3]);
    is($message->{type}, 'complete', 'as the message it is');
    is($message->{job_id}, $done->{job_id}, 'of this job');
    my @all = map { @{ $redis->ask('HGETALL', $_) } }
        @{ $redis->ask('KEYS', 't:job:*') };
    unlike("@all", qr/token/, 'no token is there');
};

subtest 'its output' => sub {
    my $sub = $redis->client;
    $sub->ask('PSUBSCRIBE', 't:job:*:output');
    for my $how ('run', 'start') {
        my $code = 'printf "gr\\303"; sleep 0.2; printf "\\274n\\n"'
            . '; echo e >&2';
        my $id = $how eq 'run' ? job($a, $code)->{json}{job_id}
            : start($a, $code);
        my ($out, $end) = ('', 0);
        while ($out !~ /\be\n/) {
            my $message = $sub->reply // last;
            is($message->[2], "t:job:$id:output", 'the channel');
            $message = Codr::Client::decode($message->[3]);
            is($message->{type}, 'output', 'the message');
            is($message->{offset}, $end, 'follows the one before');
            $end = $message->{end};
            $out .= $message->{data};
        }
        is($out, "gr\x{fc}n\ne\n", "all that a job has written: $how");
    }
};

subtest 'a job of another node' => sub {
    my $id = start($a, 'echo one; sleep 60');
    ok(wait_until(60, sub {
        (call($b, GET => "/jobs/$id")->{json}{status} // '') eq 'processing'
    }), 'is seen');
    my $r = call($b, GET => "/jobs/$id")->{json};
    is($r->{owner}, 'alice', 'with its owner');
    is(call($b, $_ => "/jobs/$id", undef, 'bob')->{status}, 404,
        "another owner sees none: $_") for qw(GET DELETE);
    ok(wait_until(30, sub {
        call($b, GET => "/jobs/$id/output")->{body} eq "one\n" }),
        'its output');

    my $stop = sub {
        my ($claims, $key) = @_;
        my $text = join '.', map { encode_base64url(Codr::Client::encode($_)) }
            { alg => 'HS256', typ => 'JWT' }, $claims;
        return "$text." . encode_base64url(hmac_sha256($text, $key));
    };
    my %good = (control => 'stop', job_id => $id, exp => time + 30);
    for ('stop', Codr::Client::encode(\%good), $stop->(\%good, 'y' x 40),
        $stop->({ %good, exp => time - 1 }, $secret),
        $stop->({ %good, job_id => '0' x 32 }, $secret),
        $stop->({ job_id => $id, jti => 'x', iat => time,
            exp => time + 30 }, $secret), 'x' x 100_000)
    {
        $redis->ask('PUBLISH', "t:job:$id:control", $_);
    }
    is(call($b, GET => "/jobs/$id?wait=1")->{json}{status}, 'processing',
        'no stranger can stop it');
    is(call($b, DELETE => "/jobs/$id")->{status}, 204, 'its owner can');
    $r = call($b, GET => "/jobs/$id?wait=20")->{json};
    is($r->{status}, 'completed', 'it ends');
    is($r->{result}{status}, 'stopped', 'as stopped');
    is($r->{result}{stdout}, "one\n", 'with what it has said');

    my $ws = $a->ws(headers => ['X-API-Key: alice']);
    $ws->execute(language => 'sh', code => 'sleep 60');
    $id = $ws->wait_for('started')->{job_id};
    ok(wait_until(30, sub {
        call($b, DELETE => "/jobs/$id")->{status} == 204 }),
        'that of a socket, too');
    is($ws->finish->{status}, 'stopped', 'its client is told');
    is(call($b, GET => '/jobs/' . 'f' x 32)->{status}, 404, 'none is none');
};

subtest 'a node that is gone for good' => sub {
    my $id = start($a, 'sleep 60');
    ok(wait_until(60, sub { $redis->hash("t:job:$id")->{started_at} }),
        'a job runs');
    my $node = 't:codr:node:' . $redis->hash("t:job:$id")->{node};
    ok($redis->ask('TTL', $node) > 0, 'its node says that it lives');
    my %other = (%{ $redis->hash("t:job:$id") }, node => 'f' x 32,
        job_id => 'e' x 32);
    $redis->ask('HSET', 't:job:' . 'e' x 32, %other);
    is(call($b, GET => "/jobs/$id")->{json}{status}, 'processing',
        'it is taken for one that runs');
    my $lost = call($b, GET => '/jobs/' . 'e' x 32 . '?wait=30');
    is("$lost->{json}{status} $lost->{json}{error}{code}", 'failed internal',
        'one of a node that does not say so has failed');
    ok($lost->{seconds} < 15, 'which is not waited for');
    $redis->ask('DEL', 't:job:' . 'e' x 32);
    is(call($a, DELETE => "/jobs/$id")->{status}, 204, 'the other is stopped');
};

subtest 'tickets' => sub {
    my $t = ticket($a);
    is(redeem($b, $t)->{json}{stdout}, "hi\n", 'one node takes the other\'s');
    is(redeem($_, $t)->{status}, 401, 'once') for $a, $b;
    my ($used) = @{ $redis->ask('KEYS', 't:used_token:*') };
    cmp_ok($redis->ask('TTL', $used), '>', 900 + 60,
        'also where a clock is a minute behind');
    my $won = 0;
    for (1 .. 8) {
        $t = ticket($a);
        my @sockets = map { $_->ws(path => '/ticket') } $a, $b, $a, $b;
        $_->execute(language => 'sh', code => '', %{$t}) for @sockets;
        my @jobs = map { $_->finish } @sockets;
        $won += grep { $_->{status} eq 'ok' } @jobs;
        is(scalar(grep { $_->{status} eq 'unauthorized' } @jobs), 3,
            'three of four are refused');
    }
    is($won, 8, 'in a race of nodes one gets it');
};

subtest 'reloads' => sub {
    my $count = sub { scalar grep {/\S/} split /\n/,
        $redis->ask('CLIENT', 'LIST') };
    ok(wait_until(30, sub { $count->() == 9 }), 'four workers, and us');
    for (1 .. 4) {
        $a->reload or fail('a reload');
    }
    ok(wait_until(60, sub { $count->() == 9 }), 'leave no connection behind')
        or diag($redis->ask('CLIENT', 'LIST'));
};

$b->finish;

subtest 'hung' => sub {
    $redis->signal('STOP');
    my $done = job($a, 'echo on');
    is($done->{json}{stdout}, "on\n", 'jobs run');
    ok($done->{seconds} < 15, 'without waiting');
    ok($a->wait_log(qr/Redis cannot be used: it does not answer/,
        30),
        'the log says it');
    is(redeem($a, ticket($a))->{status}, 503, 'a ticket is not taken');
    my $id = $done->{json}{job_id};
    is(call($a, GET => "/jobs/$id")->{json}{unsaved}, JSON::PP::true(),
        'the record is marked');
    $redis->signal('CONT');
    ok(wait_until(60, sub {
        ($redis->hash("t:job:$id")->{status} // '') eq 'completed' }),
        'and saved when it goes on');
    ok(wait_until(30, sub {
        !exists call($a, GET => "/jobs/$id")->{json}{unsaved} }),
        'and not marked any more');
    is(said($a, 'Redis cannot be used'), 1, 'one line when it went');
};

subtest 'gone and back' => sub {
    my $before = said($a, 'Redis cannot be used');
    $redis->stop;
    ok(wait_until(30, sub { said($a, 'Redis cannot be used') > $before }),
        'the log says it');
    my $t = ticket($a);
    my @ids = map { job($a, "echo $_")->{json}{job_id} } 1 .. 5;
    is(redeem($a, $t)->{json}{code}, 'unavailable', 'a ticket must wait');
    $redis->start;
    ok(wait_until(60, sub {
        5 == grep { ($redis->hash("t:job:$_")->{status} // '')
            eq 'completed' } @ids }), 'what was missed is saved');
    ok(wait_until(30, sub { redeem($a, $t)->{status} == 200 }),
        'the ticket is still good');
    is(said($a, 'Redis cannot be used'), $before + 1, 'it was said once');
};

subtest 'full' => sub {
    $redis->ask('CONFIG', 'SET', 'maxmemory', '1');
    my $done = job($a, 'echo on')->{json};
    is($done->{stdout}, "on\n", 'jobs run');
    ok(notices($a, qr/Redis cannot be used: OOM/), 'the log says it');
    $redis->ask('CONFIG', 'SET', 'maxmemory', '0');
    ok(wait_until(60, sub {
        ($redis->hash("t:job:$done->{job_id}")->{status} // '')
            eq 'completed' }), 'saved later');
};

subtest 'read-only' => sub {
    $redis->ask('REPLICAOF', '127.0.0.1', '1');
    my $done = job($a, 'echo on')->{json};
    is($done->{stdout}, "on\n", 'jobs run');
    ok(notices($a, qr/Redis cannot be used: READONLY/), 'the log says it');
    $redis->ask('REPLICAOF', 'NO', 'ONE');
    ok(wait_until(60, sub {
        ($redis->hash("t:job:$done->{job_id}")->{status} // '')
            eq 'completed' }), 'saved later');
};

$a->finish;


subtest 'absent, then loading' => sub {
    my $slow = Codr::Redis->new('key-load-delay 20000', 'rdbcompression no',
        'loading-process-events-interval-bytes 1024');
    $slow->ask('SET', "key$_", 'x' x 2000) for 1 .. 120;
    is($slow->ask('SAVE'), 'OK', 'there is something to load');
    $slow->stop;
    my $node = node($slow->address, workers => 1);
    ok($node->ready, 'the helper is up');
    ok($node->wait_log(qr/Redis cannot be used: No such file/, 30),
        'there is none');
    my @ids = job($node, 'echo')->{json}{job_id};
    $slow->start;
    like($slow->ask('INFO'), qr/loading:1/, 'one that loads');
    push @ids, job($node, 'echo')->{json}{job_id};
    ok(up($node), 'is up in the end');
    for my $id (@ids) {
        ok(wait_until(60, sub {
            ($slow->hash("job:$id")->{status} // '') eq 'completed' }),
            'what ran meanwhile is saved');
    }
    is(said($node, 'Redis cannot be used'), 1, 'it was said once');
    $node->finish;
};

subtest 'a password' => sub {
    my $with = Codr::Redis->new('requirepass sesame');
    my $dir = Codr::Nginx::dir();
    spew("$dir/password", "sesame\n");
    spew("$dir/wrong", "simsim\n");
    chmod 0640, "$dir/password", "$dir/wrong";
    my $node = node($with->address . " password_file=$dir/password db=2");
    ok(up($node), 'the right one');
    $node->finish;
    $node = node($with->address . " password_file=$dir/wrong");
    ok($node->wait_log(qr/Redis cannot be used: WRONGPASS/,
        30), 'a wrong one');
    ok($node->ready, 'the helper is up');
    is(job($node, 'echo on')->{json}{stdout}, "on\n", 'jobs run');
    unlike($node->log, qr/simsim/, 'nobody reads it in the log');
    $node->finish;
};

subtest 'input' => sub {
    my $own = Codr::Redis->new;
    my $node = node($own->address . ' input', workers => 1,
        location => 'codr_input 1k;');
    ok($node->ready && up($node), 'all is up');
    ok(wait_until(30, sub { $own->ask('PUBSUB', 'NUMPAT') == 2 }),
        'it is listened for');
    my $begin = sub {
        my $ws = $_[0]->ws(headers => ['X-API-Key: alice']);
        $ws->execute(language => 'sh', tty => JSON::PP::false,
            code => 'echo on; while read x; do echo "got $x"; done');
        ok($ws->expect(qr/on\n/), 'a job runs');
        my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
        return ($ws, "job:$started->{job_id}:input");
    };
    my ($ws, $channel) = $begin->($node);
    is($own->ask('PUBLISH', $channel, "one\n"), 1, 'a line from elsewhere');
    ok($ws->expect(qr/got one\n/), 'is its input');
    $own->ask('PUBLISH', $channel, 'x' x 1021 . "\n");
    $own->ask('PUBLISH', 'job:' . 'f' x 32 . ':input', "no\n");
    $own->ask('PUBLISH', $channel, "two\n");
    ok($ws->expect(qr/^got two\n/), 'more than codr_input is not');
    $ws->send(type => 'eof');
    is($ws->finish->{status}, 'ok', 'it ends');
    ok($node->reload(http => $node->{http} =~ s/ input;/;/r),
        'without the option');
    ok(wait_until(30, sub { $own->ask('PUBSUB', 'NUMPAT') == 1 }),
        'nobody listens');
    ($ws, $channel) = $begin->($node);
    is($own->ask('PUBLISH', $channel, "one\n"), 0, 'a line is lost');
    $ws->input("two\n");
    ok($ws->expect(qr/^got two\n/), 'its own socket is not');
    $ws->drop;
    $node->finish;
};

subtest 'required' => sub {
    my $need = Codr::Redis->new;
    my $node = node($need->address . ' required', workers => 1);
    ok($node->ready && up($node), 'all is up');
    is(job($node, 'echo on')->{json}{stdout}, "on\n", 'a job runs');
    $need->signal('STOP');
    my $done = job($node, 'echo on');
    is("$done->{status} $done->{json}{code}", '503 unavailable',
        'not when Redis hangs');
    is(job($node, 'echo on')->{status}, 503, 'nor after that was noticed');
    my $ws = $node->ws(headers => ['X-API-Key: alice']);
    is($ws->run_job(language => 'sh', code => 'echo')->{status},
        'unavailable', 'nor on a socket');
    my $health = $node->get('/status');
    is("$health->{status} $health->{json}{redis}", '503 down', 'health');
    is($node->get('/languages')->{status}, 200, 'everything else goes on');
    $need->signal('CONT');
    ok(wait_until(60, sub { job($node, 'echo')->{status} == 200 }), 'back');
    is($ws->run_job(language => 'sh', code => 'echo')->{status}, 'ok',
        'on the same socket');
    $node->finish;
};

subtest 'a server that misbehaves' => sub {
    my %answers = (
        'loading'      => sub {"-LOADING Redis is loading\r\n"},
        'silent'       => sub {''},
        'closing'      => sub {undef},
        'garbage'      => sub {"\0\1\2 what?\r\n"},
        'a large bulk' => sub {"\$536870912\r\nx"},
        'deep arrays'  => sub { "*1\r\n" x 5000 },
        'a bad length' => sub {"*-7\r\n"},
        'odd errors'   => sub { "-\e[31m" . 'x' x 5000 . "\r\n" },
        'other types'  => sub {":7\r\n"},
        'too many'     => sub { "+OK\r\n" x 500 },
        'no message'   => sub {"*2\r\n\$7\r\nmessage\r\n:1\r\n"},
        'odd messages' => sub {
            join '', map {"*$_->[0]\r\n\$" . length($_->[1])
                . "\r\n$_->[1]\r\n" . ":1\r\n" x ($_->[0] - 1) }
                map { my $n = $_; map { [ $n, $_ ] } qw(message pmessage
                    subscribe unsubscribe punsubscribe other) } 1 .. 4;
        },
        'a large array' => sub {"*2000000000\r\n"},
    );
    for my $what (sort keys %answers) {
        my $fake = Codr::Redis->fake($answers{$what});
        my $node = node($fake->address);
        ok($node->ready, "$what: the helper is up");
        my ($worker) = $node->workers;
        for (1 .. 3) {
            my $done = job($node, 'echo on');
            is($done->{json}{stdout}, "on\n", 'jobs run');
            ok($done->{seconds} < 15, 'without waiting');
        }
        unlike($node->log, qr/\e/, 'nothing odd in the log');
        is(join(' ', $node->workers), $worker, 'the worker is the same');
        ok(said($node, 'Redis cannot be used') <= 1, 'and said it once')
            if $what !~ /^too many/;    # it comes and goes
        $node->finish;
    }
};

done_testing();
