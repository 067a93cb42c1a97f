# Writes files as the C table of base/embedded.h.
# Run as a script: cmake -DOUT=<file.c> -DROOT=<folder> -DSYMBOL=<name> -DFILES="a;b" -P embed.cmake
list(SORT FILES)
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
    file(RELATIVE_PATH name ${ROOT} ${file})
    file(READ ${file} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    # One NUL more, so that a text can be used as a string.
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}00")
    string(APPEND arrays "static const unsigned char file_${index}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", (const char *)file_${index}, ${size}},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */\n#include \"base/embedded.h\"\n\n"
    "extern const struct embedded_file ${SYMBOL}[];\nextern const size_t ${SYMBOL}_count;\n\n"
    "${arrays}\nconst struct embedded_file ${SYMBOL}[] = {\n${rows}};\n"
    "const size_t ${SYMBOL}_count = ${index};\n")
