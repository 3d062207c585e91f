/* Threads, users, running again. */
#include "need.h"
#include "test.h"

#include "sys/file.h"
#include "sys/thread.h"
#include "sys/user.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void *report(void *arg)
{
    sigset_t mask;

    pthread_getname_np(pthread_self(), arg, 16);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, SIGTERM) ? arg : NULL;
}

static void a_thread_has_its_name_and_no_signals(void **state)
{
    char name[16] = "";
    pthread_t thread;
    void *result;
    sigset_t mask;

    (void)state;
    assert_int_equal(thread_start(&thread, "a-name-that-is-too-long", report, name, NULL), RC_OK);
    pthread_join(thread, &result);
    assert_non_null(result);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
    assert_true(cpu_count() >= 1);
}

static void users_are_found_by_name_and_by_number(void **state)
{
    struct sys_user u = {.uid = 7}, same;

    (void)state;
    assert_int_equal(user_find("root", &u, NULL), RC_OK);
    assert_int_equal(u.uid, 0);
    assert_int_equal(user_find("0", &same, NULL), RC_OK);
    assert_string_equal(same.name, "root");
    u.uid = 7;
    assert_int_equal(user_find("kidoban-never-there", &u, NULL), RC_NOT_FOUND);
    assert_int_equal(user_find("4294967295", &u, NULL), RC_NOT_FOUND);
    assert_int_equal(user_find("99999999999999999999", &u, NULL), RC_NOT_FOUND);
    assert_int_equal(user_find("3999999999", &u, NULL), RC_NOT_FOUND);
    assert_int_equal(user_find("", &u, NULL), RC_NOT_FOUND);
    assert_int_equal(u.uid, 7);
}

/* 0, or the number of the check that failed. */
static int become_nobody(void)
{
    struct sys_user u;
    CLEANUP(buf_done) struct buf status = BUF_INIT(1 << 16);

    if (user_find("nobody", &u, NULL) != RC_OK || user_become(&u, NULL) != RC_OK)
        return 1;
    if (getuid() != u.uid || geteuid() != u.uid || getegid() != u.gid || getgroups(0, NULL) > 1)
        return 2;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    if (setuid(0) == 0 || open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0)
        return 4;
    if (file_read(AT_FDCWD, "/proc/thread-self/status", 1 << 16, &status, NULL) != RC_OK)
        return 5;
    const char *text = buf_cstr(&status);

    if (!strstr(text, "CapPrm:\t0000000000000000") || !strstr(text, "CapEff:\t0000000000000000") ||
        !strstr(text, "CapAmb:\t0000000000000000"))
        return 6;
    return user_become(&u, NULL) == RC_OK ? 0 : 7; /* being it already is fine */
}

static void becoming_a_user_is_for_good(void **state)
{
    int status;

    (void)state;
    need_root();
    pid_t child = fork();

    if (child == 0)
        _exit(become_nobody());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void the_program_runs_itself_again(void **state)
{
    char *arguments[] = {(char[]){"again"}, (char[]){"child"}, NULL};
    char *environment[] = {(char[]){"KIDOBAN_TEST=yes"}, NULL};
    int status;

    (void)state;
    pid_t child = fork();

    if (child == 0) {
        (void)!sys_reexec(arguments, environment, NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_and_no_signals),
        cmocka_unit_test(users_are_found_by_name_and_by_number),
        cmocka_unit_test(becoming_a_user_is_for_good),
        cmocka_unit_test(the_program_runs_itself_again),
    };

    if (argc == 2 && str_is(str_from(argv[1]), "child"))
        return str_is(str_from(getenv("KIDOBAN_TEST")), "yes") ? 42 : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
