# The front door. Everything is built by Meson; this file only knows what newcomers type.

BUILD ?= build
PREFIX ?= /usr/local
export BUILD

.PHONY: all run test test-long demo fuzz lint install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

# A compiler or meson that is missing is what tools/install-deps is for.
$(BUILD)/build.ninja:
	tools/install-deps build
	meson setup $(BUILD) --buildtype=debugoptimized --prefix=$(PREFIX)

run:
	tools/run

test:
	tools/test

test-long:
	tools/test --long

demo:
	tools/install-deps build test
	$(MAKE) all
	tools/demo

# Each fuzz target for SECONDS (300).
fuzz:
	tools/fuzz $(or $(SECONDS),300)

lint:
	tools/install-deps build lint
	$(MAKE) all
	meson test -C $(BUILD) --suite lint --print-errorlogs
	tools/tidy

# With DESTDIR for packagers; the systemd unit is started by whoever installs it. What is built knows where it will be: another
# PREFIX than before is told to Meson.
install: all
ifneq ($(origin PREFIX),file)
	meson configure $(BUILD) -Dprefix=$(PREFIX)
	ninja -C $(BUILD)
endif
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-asan build-tsan build-fuzz
