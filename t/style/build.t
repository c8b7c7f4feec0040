# The build: from a bare copy of the sources, by anybody, with the other
# compiler, and `make install` puts it in place.

use strict;
use warnings;

use Codr::Host qw(build need top);
use Codr::Nginx;
use Cwd qw(getcwd);
use Test::More;

my $top = top();
need('plain');

sub output {
    my @command = @_;
    open my $out, '-|', @command or return '';
    local $/;
    return scalar(<$out>) // '';
}

# What make prints; its status is in $?.
sub make {
    my ($dir, @arguments) = @_;
    my $command = join ' ', map {"'$_'"} @arguments;
    my $text = `cd '$dir' && $command 2>&1`;
    return $text;
}

# A copy without .git, built by somebody without rights, with clang.

SKIP: {
    skip 'needs clang', 1 if !-x '/usr/bin/clang';
    skip 'needs root, to be somebody else', 1 if $> != 0;
    my $copy = Codr::Nginx::dir();
    my $parsers = "NPM_DIR=$top/build/npm";     # npm has fetched them
    system("cd '$top' && cp -a Makefile config config.m4 conf debian docs "
        . "module playground sandbox shortcut t validators zygotes '$copy' "
        . "&& chown -R nobody '$copy'") == 0 or die;
    my $said = make($copy, qw(setpriv --reuid nobody --regid nogroup
        --clear-groups make -j2 CC=clang), 'CFLAGS=-O1 -g',
        $parsers);
    is($?, 0, 'anybody builds a copy with clang')
        or diag(substr $said, -3000);
    unlike($said, qr/warning:/, 'without a warning');
    ok(-x "$copy/build/codr-sandboxd", 'the helper is there');
    my $module = "$copy/build/ngx_http_codr_module.so";
    ok(-f $module, 'the module is there');
    like(output('nm', '-D', $module), qr/__stack_chk_fail/,
        'hardened, whatever CFLAGS says');
    is(output('find', $copy, '-newer', "$copy/build/settings", '-not',
            '-path', "$copy/build*", '-type', 'f'), '',
        'nothing is written beside build/');

    # Once built, nothing is built again.
    $said = make($copy, qw(make CC=clang), 'CFLAGS=-O1 -g',
        $parsers);
    unlike($said, qr/MAKE|CONF/, 'a second make has nothing to do');

    $said = make($copy, qw(make CC=clang), 'CFLAGS=-O1 -g', $parsers,
        "DESTDIR=$copy/root", 'install');
    is($?, 0, 'make install') or diag($said);
    my @there = map { s{^\Q$copy\E/root}{}r } split /\n/,
        output('find', "$copy/root", '-type', 'f');
    for my $file (qw(/usr/lib/nginx/modules/ngx_http_codr_module.so
        /usr/lib/codr/codr-sandboxd /usr/lib/codr/codr-validator
        /usr/lib/codr/codr-zygote-python.so
        /usr/lib/codr/codr-zygote-node.so
        /usr/lib/codr/policies/python/standard.scm /etc/codr/languages.conf
        /etc/codr/sandboxd.conf /lib/systemd/system/codr-sandbox.service
        /usr/share/codr/snippets/codr-errors.conf
        /usr/share/man/man1/codr.1 /usr/share/man/man8/codr-sandboxd.8)) {
        ok((grep { $_ eq $file } @there), "installs $file");
    }

    # Its module finds its helper and its languages, wherever it is.
    system('chown', '-R', 'root', "$copy/root") == 0 or die;
    my $nginx = Codr::Nginx->new(load => 0, mode => 'foreground',
        main => "load_module $copy/root/usr/lib/nginx/modules/"
            . 'ngx_http_codr_module.so;',
        http => "include $copy/root/etc/codr/languages.conf;",
        server => 'location = /status { codr_status health; }');
    ok($nginx->ready, 'the installed tree works');
    like($nginx->log, qr{started helper "\Q$copy\E/root/},
        'with its own helper') or diag($nginx->log);
    $nginx->finish;
}

done_testing();
