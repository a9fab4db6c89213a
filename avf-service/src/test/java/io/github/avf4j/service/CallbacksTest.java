package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineCallback;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CallbacksTest {
  private final Callbacks callbacks = new Callbacks();
  private final List<String> heard = new ArrayList<>();
  private VirtualMachine vm;

  private VirtualMachineCallback named(String name) {
    return new VirtualMachineCallback() {
      @Override
      public void onPayloadFinished(VirtualMachine machine, int exitCode) {
        heard.add(name + exitCode);
      }
    };
  }

  private void event(int number) {
    callbacks.add(callback -> callback.onPayloadFinished(vm, number));
  }

  @Test
  void callsInOrderOnTheExecutor() {
    Queue<Runnable> tasks = new ArrayDeque<>();
    callbacks.set(tasks::add, named("a"));
    event(1);
    event(2);
    callbacks.send();
    event(3);
    callbacks.send();
    assertThat(heard).isEmpty();
    assertThat(tasks).hasSize(1);
    tasks.remove().run();
    assertThat(heard).containsExactly("a1", "a2", "a3");
    event(4);
    callbacks.send();
    tasks.remove().run();
    assertThat(heard).endsWith("a4");
  }

  @Test
  void eventsBelongToTheCallbackOfTheirTime() {
    callbacks.set(Runnable::run, named("a"));
    event(1);
    callbacks.set(Runnable::run, named("b"));
    event(2);
    callbacks.clear();
    event(3);
    callbacks.send();
    assertThat(heard).containsExactly("a1", "b2");
  }

  @Test
  void keepsTheOrderWhenTheExecutorChanges() {
    Queue<Runnable> first = new ArrayDeque<>();
    Queue<Runnable> second = new ArrayDeque<>();
    callbacks.set(first::add, named("a"));
    event(1);
    callbacks.set(second::add, named("b"));
    event(2);
    callbacks.send();
    assertThat(second).isEmpty();
    first.remove().run();
    assertThat(heard).containsExactly("a1");
    second.remove().run();
    assertThat(heard).containsExactly("a1", "b2");
  }

  @Test
  void callbackThatThrowsDoesNotStopTheRest() {
    callbacks.set(
        Runnable::run,
        new VirtualMachineCallback() {
          @Override
          public void onPayloadFinished(VirtualMachine machine, int exitCode) {
            heard.add("x" + exitCode);
            throw new IllegalStateException("thrown by the test");
          }
        });
    event(1);
    event(2);
    callbacks.send();
    assertThat(heard).containsExactly("x1", "x2");
  }

  @Test
  void survivesAnExecutorThatTakesNothing() {
    callbacks.set(
        task -> {
          throw new RejectedExecutionException("shut down by the test");
        },
        named("a"));
    event(1);
    callbacks.send();
    callbacks.set(Runnable::run, named("b"));
    event(2);
    callbacks.send();
    assertThat(heard).containsExactly("b2");
  }

  @Test
  void callsOneAtATimeOnAPool() throws InterruptedException {
    int events = 2000;
    CountDownLatch done = new CountDownLatch(events);
    AtomicInteger inside = new AtomicInteger();
    List<Integer> order = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      callbacks.set(
          pool,
          new VirtualMachineCallback() {
            @Override
            public void onPayloadFinished(VirtualMachine machine, int exitCode) {
              order.add(inside.incrementAndGet() == 1 ? exitCode : -1);
              inside.decrementAndGet();
              done.countDown();
            }
          });
      for (int i = 0; i < events; i++) {
        event(i);
        callbacks.send();
      }
      assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      pool.shutdownNow();
    }
    assertThat(order).isSorted().doesNotContain(-1).hasSize(events);
  }
}
