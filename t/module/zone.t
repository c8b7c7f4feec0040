# A zone of the least size: finished records make room, oldest first, and
# nothing else does; when there is none left, what is new is refused.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need spew);
use Codr::Nginx;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;

need(qw(module helper));

subtest 'a full zone' => sub {
    my $small = Codr::Nginx->new(http => <<'CONF', server => <<'CONF2');
    codr_zone codr:512k;
    codr_max_jobs 16 batch=4;
    codr_language sh { source main.sh; run /bin/sh $source; }
CONF
    location /jobs { codr_jobs; }
    location = /counters { codr_status json; }
CONF2
    ok($small->ready, 'the helper is up');
    my $keep = $small->ws;
    $keep->execute(language => 'sh', code => 'read x; echo $x');
    my $id = $keep->wait_for('started')->{job_id};
    my $ws = $small->ws;
    my $first = $ws->run_job(language => 'sh', code => 'echo 1',
        tag => 'x' x 128)->{complete}{job_id};
    is($small->get("/jobs/$first")->{status}, 200, 'the first');
    my $gone = 0;
    for (1 .. 1500) {
        $gone = $ws->run_job(language => 'none')->{status} eq 'unknown_language'
            && $small->get("/jobs/$first")->{status} == 404;
        last if $gone;
        $ws->run_job(language => 'sh', code => 'exit', tag => 'x' x 128);
    }
    ok($gone, 'leaves when room is needed');
    is($small->get("/jobs/$id")->{json}{status}, 'processing',
        'one that runs does not');
    $keep->input("done\n");
    is($keep->finish->{status}, 'ok', 'and comes to its end');
    $small->finish;
};


subtest 'a zone full of used tickets' => sub {
    my $dir = Codr::Nginx::dir();
    my $secret = 'x' x 32;
    spew("$dir/ticket.key", $secret);
    chmod 0640, "$dir/ticket.key";
    my $small = Codr::Nginx->new(dir => $dir, http => <<"CONF",
    codr_zone codr:512k;
    codr_ticket_key_file $dir/ticket.key;
    codr_language sh { source main.sh; run /bin/sh \$source; }
CONF
        server => <<'CONF');
    location = /only { codr_exec; codr_auth ticket; }
    location = /open { codr_exec; codr_auth off; }
CONF
    ok($small->ready, 'the helper is up');
    my $serial = 0;
    my $use = sub {
        my $text = join '.', map { encode_base64url(Codr::Client::encode($_)) }
            { alg => 'HS256' }, { job_id => 'j', jti => 'n' . ++$serial,
                iat => time, exp => time + 3600 };
        return $small->post('/only', { language => 'none', job_id => 'j',
            job_token => "$text." . encode_base64url(
                hmac_sha256($text, $secret)) })->{json}{code};
    };
    my $code = '';
    for (1 .. 20_000) {
        $code = $use->();
        last if $code ne 'unknown_language';
    }
    is($code, 'unauthorized', "after $serial tickets no other one is good");
    is($use->(), 'unauthorized', 'nor the next');

    # a page that the zone has already may have room for some records yet
    my ($end, @clients) = '';
    while ($end ne 'unavailable' && @clients < 100) {
        push @clients, $small->ws(path => '/open');
        $clients[-1]->execute(language => 'sh', code => 'echo on; read x');
        my $answer = $clients[-1]->wait_for(qr/^(?:output|error)$/);
        $end = $answer->{code} // '';
    }
    is($end, 'unavailable', 'no job is accepted by a socket, beyond some');
    my $job = $small->post('/open', { language => 'sh', code => 'echo' });
    is("$job->{status} $job->{json}{code}", '503 unavailable',
        'and none by a request');
    $_->drop for @clients;
    my $said = () = $small->log =~ /the zone of codr_zone is full/g;
    is($said, 1, 'the log says it once');
    $small->finish;
};

done_testing();
