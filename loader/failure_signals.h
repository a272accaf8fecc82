/* Faults that end a program without a word of its own. */
#ifndef DENIZEN_FAILURE_SIGNALS_H
#define DENIZEN_FAILURE_SIGNALS_H

/* Have `tell` called with the program's status when one of the signals of faults ends it. Signals that have another
   disposition than the default are left alone, and the program ends by its signal, as it would have. */
void failure_signals_watch(void (*tell)(int status));

#endif
