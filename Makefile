# The verbs; CMakeLists.txt is the build. `make help` lists them.
SAN   ?=
TIME  ?= 60
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
export SAN TIME BUILD

.PHONY: all setup
all: setup
	@cmake -S . -B $(BUILD) -G Ninja -DEMBEDD_SAN=$(SAN) >/dev/null && cmake --build $(BUILD)
setup:
	@:
