/**
 * Every number that the project promises, against a baseline that is measured in the same run.
 *
 * <p>The machine is shared and noisy: rounds of both sides alternate, medians are compared, and a
 * ratio is the result. May use internals of any module.
 */
@NullMarked
package io.github.avf4j.benchmarks;

import org.jspecify.annotations.NullMarked;
