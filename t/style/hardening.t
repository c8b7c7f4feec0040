# What is built is hardened: each means by what it leaves in the file.  The
# last part says what a file without it looks like to the same eyes.

use strict;
use warnings;

use Codr::Host qw(build need);
use Codr::Nginx;
use Test::More;

my $readelf = '/usr/bin/readelf';
need('plain', $readelf);

my $machine = qx(uname -m);

# What `make install` installs, and whatever else is built beside it.
my @FILES = qw(codr-sandboxd codr-validator codr-shortcut codr
    ngx_http_codr_module.so codr-zygote-python.so);
my %named = map { $_ => 1 } @FILES;
push @FILES, grep { !$named{$_} } map {m{([^/]+)$}}
    grep {m{\.(?:so|node)$}} glob build() . '/*';

# Ours in them, by directory.
my %OBJECTS = (
    'the helper'    => 'sandbox/*.o',
    'the validator' => 'validators/codr_*.o',
    'the zygote'    => 'zygotes/*.o',
    'the module'    => 'nginx/addon/*/*.o',
    'the client'    => 'cli/*.o',
);

sub output {
    my @command = @_;
    open my $out, '-|', @command or return '';
    local $/;
    return scalar(<$out>) // '';
}

# What is wrong with a linked file.
sub weak {
    my ($file) = @_;
    my $elf = output($readelf, '-hldW', $file);
    my @weak;
    push @weak, 'not position independent' if $elf !~ /Type:\s+DYN/;
    push @weak, 'no RELRO'       if $elf !~ /GNU_RELRO/;
    push @weak, 'lazy binding'   if $elf !~ /BIND_NOW|FLAGS.*\bNOW\b/;
    push @weak, 'a search path'  if $elf =~ /RPATH|RUNPATH/;
    push @weak, 'text relocated' if $elf =~ /TEXTREL/;
    push @weak, 'executable stack'
        if $elf !~ /GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW /;
    push @weak, 'written and executed'
        if $elf =~ /LOAD\s+\S+ \S+ \S+ \S+ \S+ RWE/;
    return join ', ', @weak;
}

for my $name (@FILES) {
    SKIP: {
        skip "$name is not built", 1 if !-f build() . "/$name";
        is(weak(build() . "/$name"), '', "$name is hardened");
    }
}

# What Debian's C library brings was compiled without some of it, so the
# linked file has no mark of it: our own objects tell.
for my $what (sort keys %OBJECTS) {
    my @objects = glob build() . "/$OBJECTS{$what}";
    SKIP: {
        skip "$what is not built", 3 if !@objects;
        my $symbols = output($readelf, '-sW', @objects);
        like($symbols, qr/UND __stack_chk_fail/, "$what: stack protector");
        like($symbols, qr/UND __\w+_chk\b/, "$what: fortified functions");
        skip 'control flow protection is of x86', 1 if $machine !~ /x86_64/;
        my @bare = grep { output($readelf, '-nW', $_) !~ /IBT, SHSTK/ }
            @objects;
        is("@bare", '', "$what: control flow protection in each object");
    }
}

# The control.
SKIP: {
    skip 'needs gcc', 2 if !-x '/usr/bin/gcc';
    my $dir = Codr::Nginx::dir();
    my @bare = qw(gcc -x c -O1 -no-pie -fno-stack-protector
        -fcf-protection=none -U_FORTIFY_SOURCE -z norelro -z lazy
        -z execstack -Xlinker -rpath=/nowhere);
    open my $source, '>', "$dir/bare.c" or die "$dir/bare.c: $!";
    print {$source} "int main(void) { return 0; }\n";
    close $source;
    is(system(@bare, '-o', "$dir/bare", "$dir/bare.c"), 0, 'a bare program');
    is(weak("$dir/bare"), 'not position independent, no RELRO, lazy binding, '
        . 'a search path, executable stack', 'is seen as one');
}

done_testing();
