/*
 * Classes of objects, and references to objects. Names and semantics are those of Android's NDK, so that a service
 * written for one compiles for the other; the README of libbinder_ndk lists what is here.
 *
 * All functions can be called on any thread.
 */
#ifndef ANDROID_BINDER_IBINDER_H
#define ANDROID_BINDER_IBINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "binder_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which method is called. Methods have FIRST_CALL_TRANSACTION and what follows, in the order of the interface. */
typedef uint32_t transaction_code_t;

/* How a method is called: 0, or FLAG_ONEWAY for a call that nobody waits for. */
typedef uint32_t binder_flags_t;

enum {
    FLAG_ONEWAY = 0x01,
};

enum {
    FIRST_CALL_TRANSACTION = 0x00000001,
    LAST_CALL_TRANSACTION = 0x00ffffff,
};

typedef struct AIBinder_Class AIBinder_Class;
typedef struct AIBinder AIBinder;
typedef struct AParcel AParcel;

/* Makes the user data of a new object from what AIBinder_new was given. */
typedef void* (*AIBinder_Class_onCreate)(void* args);

/* Frees the user data, when no reference to the object is left. */
typedef void (*AIBinder_Class_onDestroy)(void* userData);

/*
 * Serves a call: reads the arguments from `in`, in their order, and writes the results to `out`; both belong to the
 * caller. The interface's name was checked and read before. Any other status than STATUS_OK is what the client gets in
 * place of a result; STATUS_UNKNOWN_TRANSACTION for a code that the interface has not.
 *
 * The calls of a client of AVmPayload_runVsockRpcServer come one at a time, those of several clients at once.
 */
typedef binder_status_t (*AIBinder_Class_onTransact)(AIBinder* binder, transaction_code_t code, const AParcel* in,
                                                     AParcel* out);

typedef binder_status_t (*AIBinder_onDump)(AIBinder* binder, int fd, const char** args, uint32_t numArgs);

/*
 * Defines a class of objects that have one interface, whose name is copied. A class lives for ever: define it once. Null
 * if one of the arguments is null or the name is no UTF-8.
 */
AIBinder_Class* AIBinder_Class_define(const char* interfaceDescriptor, AIBinder_Class_onCreate onCreate,
                                      AIBinder_Class_onDestroy onDestroy, AIBinder_Class_onTransact onTransact);

/* Has no effect here: nobody can ask for a dump over a socket. */
void AIBinder_Class_setOnDump(AIBinder_Class* clazz, AIBinder_onDump onDump);

/* Calls of this class begin without the name of the interface, which neither side then writes or checks. */
void AIBinder_Class_disableInterfaceTokenHeader(AIBinder_Class* clazz);

const char* AIBinder_Class_getDescriptor(const AIBinder_Class* clazz);

/* A new object and the first reference to it; null if the class is null. */
AIBinder* AIBinder_new(const AIBinder_Class* clazz, void* args);

void AIBinder_incStrong(AIBinder* binder);

/* Gives a reference back; null is allowed. */
void AIBinder_decStrong(AIBinder* binder);

/* For debugging: how many references there are, or -1 for null. */
int32_t AIBinder_debugGetRefCount(AIBinder* binder);

/* The user data of an object that was made by AIBinder_new in this process; null for others. */
void* AIBinder_getUserData(AIBinder* binder);

/* The class of the object, or the one that was associated with it; else null. */
const AIBinder_Class* AIBinder_getClass(AIBinder* binder);

/*
 * Says of which class an object of a client is, who is asked for the name of its interface. False if it has another
 * one, cannot be asked, or has a class already that is not the same.
 */
bool AIBinder_associateClass(AIBinder* binder, const AIBinder_Class* clazz);

/* Whether it is an object of a client. */
bool AIBinder_isRemote(const AIBinder* binder);

/* Whether the client of the object is there, as far as is known. */
bool AIBinder_isAlive(const AIBinder* binder);

binder_status_t AIBinder_ping(AIBinder* binder);

/* Begins a call: *in is a new parcel for the arguments. The object needs a class. */
binder_status_t AIBinder_prepareTransaction(AIBinder* binder, AParcel** in);

/*
 * Calls an object. *in is taken and becomes null, whatever comes of the call; *out is a new parcel with the results,
 * which AParcel_delete frees, or null. From within a call of a client, a call of an object of this client that waits
 * goes where the client waits; all others need a connection that the client opened for them, else
 * STATUS_WOULD_BLOCK.
 */
binder_status_t AIBinder_transact(AIBinder* binder, transaction_code_t code, AParcel** in, AParcel** out,
                                  binder_flags_t flags);

#ifdef __cplusplus
}
#endif

#endif
