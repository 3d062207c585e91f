/* The commands that are not clients of the control plane. Each prints its own errors and returns the exit code. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

int serve_main(int argc, char **argv);
int admin_main(int argc, char **argv); /* admin reset --data DIR: server stopped */
int ca_main(int argc, char **argv);    /* ca renew --data DIR --suffix S: server stopped */

#endif
