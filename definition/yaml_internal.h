/* Private to the files of the YAML reader. */
#ifndef DEFINITION_YAML_INTERNAL_H
#define DEFINITION_YAML_INTERNAL_H

#include "definition/yaml.h"

/* Fills node->text from its value, style and span. */
void yaml_place_text(struct yaml_node *node);

#endif
